"""`pbx filter`: filters of lists that are kept under a name (R1)."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_PAGES = ("calls", "people", "deals", "texts")
_FIELDS = (
    Field("name", "What it is called.", required=True),
    Field("query", "As behind “?” in the address of the page, for example direction=inbound.", required=True),
    Field("shared", "Everybody sees it, not only its user.", "flag"),
)

filter_command = group(
    Noun(
        "filter",
        "Filters of the log, of people, deals and texts. A filter is named by its id.",
        "saved_filters",
        "FILTER",
        ("page", "name", "query", "user_id", "shared", "id"),
        add=(
            Field("user", "Whose it is (e-mail address or id).", required=True),
            Field("page", "Of which list.", choices=_PAGES, required=True),
            *_FIELDS,
        ),
        change=_FIELDS,
        filters=(Field("user", "What this user has and is shown."), Field("page", "Of one list.", choices=_PAGES)),
    )
)
