"""`pbx group`: groups of users, for example Support."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("name", "The group's name.", required=True),
    Field("description", "What it is for."),
    Field("member", "A user (e-mail address or id), in the order in which they ring.", "list", "members"),
)

group_command = group(
    Noun(
        "group",
        "Groups of users. A group is named by its name or id.",
        "groups",
        "GROUP",
        ("name", "description", "members", "id"),
        add=_FIELDS,
        change=_FIELDS,
    )
)
