"""What reports read: sums of sums, never the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.reports.buckets import HOURS_A_WEEK
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
    """``by``: day, hour (of the week, without a week), direction, outcome or user; broken down by outcomes."""
    where, values = ("AND direction = ?", [direction]) if direction else ("", [])
    if by == "user":
        return await _calls_by_user(session, period, users, where, values)
    table, unit, factor = ("calls_by_hour", "hour", 24) if by == "hour" else ("calls_by_day", "day", 1)
    what = {"day": "day", "hour": f"hour % {HOURS_A_WEEK}", "direction": "direction"}.get(by, "''")
    between = f"user_id {raw.IN} AND {unit} >= ? AND {unit} < ? {where}"
    asked = [_names(users), period.since_day * factor, period.until_day * factor, *values]
    return await _sums(session, what, "outcome_id", CALLS, f"{table} WHERE {between}", asked)


async def _calls_by_user(session: raw.Session, period: Period, users: Users, where: str, values: list[Any]) -> Found:
    """Whole months by month, and the days before and after them by day."""
    mine, names = ("user_id <> ?", EVERYBODY) if users is None else (f"user_id {raw.IN}", list(users))
    parts = [("calls_by_month", "month", period.months())]
    parts += [("calls_by_day", "day", edge) for edge in period.edges()]
    found: Found = []
    for table, unit, (since, until) in parts:
        if since < until:
            between = f"{table} WHERE {unit} >= ? AND {unit} < ? AND {mine} {where}"
            found += await _sums(session, "user_id", "outcome_id", CALLS, between, [since, until, names, *values])
    return found


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
