"""Scripts over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import records
from crm.script_fields import FIELDS
from pbx.web.wire.base import Answer, Body, view

ScriptView = view(records.Script)
_NAMES = ", ".join(f"{{{{{name}}}}}" for name in FIELDS)


class ScriptChange(Body):
    name: str = ""
    body: str = Field("", description=f"Text with simple Markdown: headings, lists, bold. Fields: {_NAMES}.")
    direction: Literal["inbound", "outbound", "any"] = "any"
    group_ids: list[str] = Field([], description="Ids or names of groups who see it; empty: everybody.")
    position: int = Field(0, description="Of those that fit, the first is shown.")
    active: bool = True


class NewScript(ScriptChange):
    name: str
    body: str


class FilledScript(Answer):
    id: str
    name: str
    body: str = Field(description="With the fields filled; what is not known is “…”.")


class CallScript(Answer):
    script: FilledScript | None = Field(description="Null where none fits this call.")
