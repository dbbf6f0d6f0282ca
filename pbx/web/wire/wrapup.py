"""Outcomes, summaries and tasks over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import wrapup
from pbx.web.wire.base import Body, PageQuery, Query, view

OutcomeView = view(wrapup.Outcome)
TaskView = view(wrapup.Task)


class OutcomeChange(Body):
    name: str = ""
    colour: str = Field("#6b7280", examples=["#2563eb"])
    key: int | None = Field(None, description="The digit from 1 to 9 that chooses it; null for none.")
    position: int = Field(0, description="Lower ones are offered first.")
    active: bool = Field(True, description="Whether it is offered.")
    do_not_text: bool = Field(False, description="The customer wants no texts: nobody sends any from then on.")
    do_not_call: bool = Field(False, description="The customer wants no calls: the number is on the do-not-call list.")


class NewOutcome(OutcomeChange):
    name: str


class SummaryText(Body):
    """Only what is sent changes."""

    outcome_id: str | None = Field(None, max_length=64)
    notes: str = Field("", max_length=20_000)
    deal_id: str | None = Field(None, max_length=64, description="The topic: one of the record's deals.")
    record_id: str | None = Field(None, max_length=64, description="Of a lead, contact, company or deal.")


class WhoseSummary(Query):
    user: str | None = Field(None, description="Somebody else's (id); managers and admins only.")


class SummaryQuery(PageQuery):
    state: Literal["draft", "saved"] | None = None


class TaskChange(Body):
    title: str = Field("", max_length=500)
    user_id: str | None = Field(None, max_length=64, description="Who does it; without it you. Managers may choose.")
    due_us: int = 0
    remind_us: int | None = Field(None, description="When the reminder is shown; null for none.")
    record_id: str | None = Field(None, max_length=64, description="Of a lead, contact or company.")
    deal_id: str | None = Field(None, max_length=64)
    call_id: str | None = Field(None, max_length=64)
    done: bool = False


class NewTask(TaskChange):
    title: str = Field(max_length=500)
    due_us: int


class TaskQuery(PageQuery):
    state: Literal["open", "done"] = Field("open", description="open: the next due first; done: the last done first.")
    record_id: str | None = None
    user: str | None = Field(None, description="Whose (id); reps see their own only.")
    due_before_us: int | None = Field(None, ge=0, le=2**62)
