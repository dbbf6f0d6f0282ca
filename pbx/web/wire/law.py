"""The law over HTTP: rules, legal holds, retention, erasure."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from crm.services import erasing, holds, law, retention
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view

RuleView = view(law.RuleView, "LawRule")
HoldView = view(holds.Hold, "LegalHold")
ErasureView = view(erasing.Erasure, "Erasure")
DestructionView = view(retention.Destruction, "Destruction")


class RulesQuery(Query):
    kind: str | None = Field(None, max_length=20)
    language: str | None = Field(None, max_length=20, description="en or ja; else as the browser asks.")


class RuleChange(Body):
    value: dict[str, Any] = Field(description="What the rule says, as others of its kind do.")
    source: str = Field(description="Where it stands.")
    date: str = Field(description="Since when it holds, or the version that was read: 2026-12-31.")
    reason: str = Field(description="Why it is changed.")
    basis: Literal["law", "code", "custom"] | None = None
    text: str | None = None


class HoldsQuery(PageQuery):
    standing: bool | None = Field(None, description="Only those that stand; false: only those that were released.")


class NewHold(Body):
    kind: Literal["record", "call", "recording", "voicemail", "user", "number"]
    object: str = Field(max_length=200, description="An id, or a telephone number.")
    reason: str


class HoldRelease(Body):
    reason: str


class ErasureQuestion(Body):
    record_id: str = Field(max_length=100)


class NewErasure(ErasureQuestion):
    reason: str
    reference: str = Field("", description="Of the request, for example the number of a letter.")


class Counted(Answer):
    """``kind`` is what was found; ``why`` says why it stays."""

    kind: str
    count: int
    bytes: int
    why: str | None = None


class ErasurePlan(Answer):
    """What is known of a person, what would be destroyed, and what must stay and why."""

    record_id: str
    name: str
    numbers: list[str]
    destroyed: list[Counted]
    kept: list[Counted]
    notes: list[str]
