"""What reports read: sums of sums, never the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.reports.buckets import FROM_MONDAY, HOURS_A_WEEK
from crm.reports.calendar import Period
from crm.repositories import raw
from crm.repositories.sums import EVERYBODY

Users = Sequence[str] | None
"""None: everybody."""
Found = list[tuple[Any, ...]]
"""What rows are made of, then what the amounts are broken down by, then the amounts."""
CALLS = ("calls", "answered", "missed", "talk_ms", "ring_ms")
TEXTS = ("sent", "received", "delivered", "failed", "segments", "cost_micros")
LISTED = ("calls", "reached", "talk_ms")


async def calls(session: raw.Session, by: str, period: Period, users: Users, direction: str | None) -> Found:
    """``by``: day, hour (of the day), heat (hour of the week), direction, outcome or user; broken down by outcomes, but
    for the hours of the week."""
    where, values = ("AND direction = ?", [direction]) if direction else ("", [])
    if by in _IN_PARTS and (users is not None or by not in _FEW_DAYS):
        return await _in_parts(session, _IN_PARTS[by], period, users, where, values)
    what = {"day": "day", "direction": "direction"}.get(by, "''")  # all users together: few rows a day
    between = f"calls_by_day WHERE user_id {raw.IN} AND day >= ? AND day < ? {where}"
    asked = [_names(users), period.since_day, period.until_day, *values]
    return await _sums(session, what, "outcome_id", CALLS, between, asked)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Whole months come from one table, the days before and after them from another one. What rows are of and broken
    down by in each; ``hours``: the second one is by hour. ``each``: it is about users one by one."""

    months: str
    what: str
    part: str
    edges: str
    edge_what: str
    edge_part: str
    hours: int
    each: bool = False


_IN_PARTS = {
    "direction": _Parts("calls_by_month", "direction", "outcome_id", "calls_by_day", "direction", "outcome_id", 1),
    "outcome": _Parts("calls_by_month", "''", "outcome_id", "calls_by_day", "''", "outcome_id", 1),
    "user": _Parts("calls_by_month", "user_id", "outcome_id", "calls_by_day", "user_id", "outcome_id", 1, each=True),
    "hour": _Parts("calls_by_hour_of_day", "hour_of_day", "outcome_id", "calls_by_hour", "hour % 24", "outcome_id", 24),
    "heat": _Parts(
        months="calls_by_hour_of_week",
        what="hour_of_week",
        part="''",
        edges="calls_by_hour",
        edge_what=f"(hour + {FROM_MONDAY}) % {HOURS_A_WEEK}",
        edge_part="''",
        hours=24,
    ),
}


_FEW_DAYS = ("direction", "outcome")
"""Of all users together the days are few, and there are no months."""


async def _in_parts(
    session: raw.Session, parts: _Parts, period: Period, users: Users, where: str, values: list[Any]
) -> Found:
    mine: tuple[str, Any] = (f"user_id {raw.IN}", _names(users))
    if parts.each and users is None:
        mine = ("user_id <> ?", EVERYBODY)
    unit = "hour" if parts.hours > 1 else "day"
    asked = [(parts.months, "month", parts.what, parts.part, *period.months())]
    asked += [
        (parts.edges, unit, parts.edge_what, parts.edge_part, since * parts.hours, until * parts.hours)
        for since, until in period.edges()
    ]
    selects, given, amounts = [], list[Any](), ", ".join(CALLS)
    for table, unit, what, part, since, until in asked:
        if since < until:
            between = f"{mine[0]} AND {unit} >= ? AND {unit} < ? {where}"
            selects.append(f"SELECT {what} AS what, {part} AS part, {amounts} FROM {table} WHERE {between}")
            given += [mine[1], since, until, *values]
    return await _sums(session, "what", "part", CALLS, f"({' UNION ALL '.join(selects)}) AS parts", given)


async def texts(session: raw.Session, by: str, period: Period, users: Users) -> Found:
    """``by``: day or user; broken down by currency."""
    between, values = "day >= ? AND day < ?", [period.since_day, period.until_day]
    if by == "user" and users is None:
        where, asked = f"{between} AND user_id <> ?", [*values, EVERYBODY]
    else:
        where, asked = f"user_id {raw.IN} AND {between}", [_names(users), *values]
    return await _sums(session, by_column(by), "currency", TEXTS, f"texts_by_day WHERE {where}", asked)


async def listed(session: raw.Session, period: Period, users: Users) -> Found:
    """By list, broken down by results."""
    where, asked = "day >= ? AND day < ?", list[Any]([period.since_day, period.until_day])
    if users is not None:
        where, asked = f"{where} AND user_id {raw.IN}", [*asked, list(users)]
    return await _sums(session, "list_id", "result", LISTED, f"listed_calls_by_day WHERE {where}", asked)


def by_column(by: str) -> str:
    return "user_id" if by == "user" else "day"


def _names(users: Users) -> list[str]:
    return [EVERYBODY] if users is None else list(users)


async def _sums(
    session: raw.Session, what: str, broken_down: str, amounts: Sequence[str], source: str, values: list[Any]
) -> Found:
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in amounts)
    return await raw.rows(session, f"SELECT {what}, {broken_down}, {sums} FROM {source} GROUP BY 1, 2", values)
