"""`pbx script`: what users say in calls."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("name", "What you call it.", required=True),
    Field("body", "The text, with simple Markdown and fields such as {{contact.name}}.", "file", required=True),
    Field("direction", "For which calls.", choices=("inbound", "outbound", "any")),
    Field("group", "A group (name or id) who sees it; without any, everybody.", "list", "group_ids"),
    Field("position", "Of those that fit, the lowest is shown.", "number"),
    Field("active", "A script that is switched off is not shown.", "flag"),
)

script_command = group(
    Noun(
        "script",
        "What users say in calls. A script is named by its name or id.",
        "scripts",
        "SCRIPT",
        ("name", "direction", "group_ids", "position", "active", "id"),
        add=_FIELDS,
        change=_FIELDS,
    )
)
