"""Reports over the wire. Days are dates of the organisation's clock, both ends included; amounts are whole numbers."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import Field

from crm.services.reports import Asked
from pbx.web.wire.base import Answer, Query

Fields = TypeVar("Fields")


class PeriodQuery(Query):
    since: str | None = Field(
        None, alias="from", description="The first day, like 2026-11-01; without it 30 days are shown."
    )
    until: str | None = Field(None, alias="to", description="The last day, included; without it today.")
    user_id: str | None = Field(None, max_length=64, description="Only this user's; reps see their own only.")
    group_id: str | None = Field(None, max_length=64, description="Only this team's; managers and admins.")
    compare: bool = Field(False, description="Beside it the period before, of the same length.")

    def asked(self, user_ids: list[str] | None) -> Asked:
        return Asked(
            by=getattr(self, "by", "list"),
            first=self.since,
            last=self.until,
            user_ids=user_ids,
            direction=getattr(self, "direction", None),
            compare=self.compare,
        )


class CallsQuery(PeriodQuery):
    by: Literal["day", "week", "month", "hour", "weekday", "heat", "user", "team", "outcome", "direction"] = Field(
        "day", description="heat: each hour of each weekday; a user in several teams counts in each."
    )
    direction: Literal["in", "out", "internal"] | None = None


class TextsQuery(PeriodQuery):
    by: Literal["day", "week", "month", "user"] = "day"


class DealsQuery(PeriodQuery):
    by: Literal["user", "month", "stage"] = "user"


class CallSums(Answer):
    calls: int
    answered: int
    missed: int = Field(description="Came in, and nobody took it; without those that were refused.")
    talk_s: int
    ring_s: int
    outcomes: dict[str, int] = Field(
        description="Calls by the id of the outcome that their user gave them; none in the cells of a week."
    )


class _Row(Answer):
    key: str = Field(
        description="2026-11-26, 2026-W48, 2026-11, an hour 0 to 23, a weekday 1 (Monday) to 7, 3-14 for Wednesday at "
        "two in the afternoon, or an id; empty: nobody's, in no team, without an outcome."
    )
    label: str = Field(description="A name, or the key where it speaks for itself.")


class CallsRow(_Row, CallSums):
    """One row."""


class TextSums(Answer):
    sent: int
    received: int
    delivered: int
    failed: int
    segments: int = Field(description="Of what was sent.")
    cost_micros: int


class TextsRow(_Row, TextSums):
    """One row."""


class DealSums(Answer):
    calls: int = Field(description="By stage: those whose topic was a deal.")
    answered: int
    talk_s: int
    deals: int = Field(description="Made in this time.")
    value_micros: int = Field(description="Of the deals made.")
    won: int
    won_micros: int
    lost: int


class DealsRow(_Row, DealSums):
    """One row."""


class ListSums(Answer):
    entries: int = Field(description="That stand in it now.")
    called: int = Field(description="Calls that were made.")
    reached: int = Field(description="Calls that were answered.")
    talk_s: int
    results: dict[str, int]
    calls_per_hour: float = Field(description="Of the time in which users worked on it.")


class ListsRow(_Row, ListSums):
    """One row."""


Row = TypeVar("Row")


class Before(Answer, Generic[Row, Fields]):
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    rows: list[Row]
    total: Fields


class _Report(Before[Row, Fields], Generic[Row, Fields]):
    by: str
    time_zone: str
    before: Before[Row, Fields] | None


class OutcomeName(Answer):
    id: str
    name: str
    colour: str


class CallsReport(_Report[CallsRow, CallSums]):
    outcomes: list[OutcomeName] = Field(description="Those in it, as they are called now or were called last.")


class TextsReport(_Report[TextsRow, TextSums]):
    currency: str


class DealsReport(_Report[DealsRow, DealSums]):
    currency: str


class ListsReport(_Report[ListsRow, ListSums]):
    """One row a list."""
