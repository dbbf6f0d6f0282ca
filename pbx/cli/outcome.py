"""`pbx outcome`: what a call can have come to."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("name", "What users choose, for example Connected.", required=True),
    Field("colour", "As # and six digits, for example #2563eb."),
    Field("key", "The digit from 1 to 9 that chooses it; none for no key.", "number"),
    Field("position", "Lower ones are offered first.", "number"),
    Field("active", "Whether it is offered.", "flag"),
    Field("do-not-text", "The customer wants no texts: nobody sends any from then on.", "flag"),
    Field("do-not-call", "The customer wants no calls: the number is put on the do-not-call list.", "flag"),
)

outcome_command = group(
    Noun(
        "outcome",
        "Outcomes of calls. An outcome is named by its name or id.",
        "outcomes",
        "OUTCOME",
        ("name", "colour", "key", "position", "active", "id"),
        add=_FIELDS,
        change=_FIELDS,
    )
)
