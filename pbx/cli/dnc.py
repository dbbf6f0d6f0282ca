"""`pbx dnc`: numbers that must not be called."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (Field("reason", "Why."), Field("source", "Who asked for it, or which list it is from."))

dnc_command = group(
    Noun(
        "dnc",
        "The do-not-call list. The gate refuses calls to these numbers.",
        "do_not_call",
        "NUMBER",
        ("e164", "reason", "source", "created_us"),
        add=(Field("number", "The number, in any notation.", required=True), *_FIELDS),
        change=_FIELDS,
        filters=(Field("cursor", "Where the page before ended."), Field("limit", "How many, 500 at most.", "number")),
        paged=True,
    )
)
