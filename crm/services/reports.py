"""Reports on calls and texts (R3): from sums, by the organisation's clock.

``user_ids`` are whose calls are asked for; None is everybody's. Who may ask for whose is decided where it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.errors import not_found
from crm.models.telephony import Group, GroupMember
from crm.models.users import User
from crm.models.wrapup import CallSummary, Outcome
from crm.reports import buckets, rows
from crm.reports.calendar import Period, read_period, today
from crm.repositories import report_sums
from crm.services import settings, sums

CALLS_BY = (*buckets.BY_TIME, *buckets.BY_NAME)
TEXTS_BY = ("day", "week", "month", "user")
Report = dict[str, Any]
Half = Callable[[Period], Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is to be about. Dates are as they were typed; ``direction`` is in, out or internal."""

    by: str = "day"
    first: str | None = None
    last: str | None = None
    user_ids: Sequence[str] | None = None
    direction: str | None = None
    compare: bool = False


async def calls(session: AsyncSession, asked: Asked, now_us: int) -> Report:
    """Number, time and outcome of calls."""
    fields.one("by", asked.by, fields.choice(*CALLS_BY))
    fields.one("direction", asked.direction, fields.optional(fields.choice(*buckets.DIRECTIONS)))
    rows_of, grain = await _rows_of_calls(session, asked.by)
    direction = buckets.DIRECTIONS.get(asked.direction or "")

    async def made(period: Period) -> rows.Table:
        found = await report_sums.calls(session, grain, period, asked.user_ids, direction)
        if asked.by == "outcome":
            found = [(part, part, *values) for _, part, *values in found]
        return rows.table(asked.by, period, found, len(report_sums.CALLS), rows_of)

    report, tables = await _report(session, asked, now_us, made, rows.call_fields)
    used = {outcome for table in tables for outcome in table.total.parts if outcome}
    outcomes = await _outcomes(session, used)
    names = await _names(session, asked.by, {each["id"]: each["name"] for each in outcomes})
    return _with_labels(report, names) | {"outcomes": outcomes}


async def texts(session: AsyncSession, asked: Asked, now_us: int) -> Report:
    """Texts by what became of them, their segments and their cost."""
    fields.one("by", asked.by, fields.choice(*TEXTS_BY))
    currency = str((await settings.values(session))["billing.currency"])
    grain = "user" if asked.by == "user" else "day"

    async def made(period: Period) -> rows.Table:
        found = await report_sums.texts(session, grain, period, asked.user_ids)
        return rows.table(asked.by, period, found, len(report_sums.TEXTS), _by_days(asked.by), of=-1)

    report, _ = await _report(session, asked, now_us, made, lambda amounts: rows.text_fields(amounts, currency))
    return _with_labels(report, await _names(session, asked.by, {})) | {"currency": currency}


async def period_of(session: AsyncSession, asked: Asked, now_us: int) -> tuple[Period, str]:
    """The days, and the clock that they are by."""
    zone = await sums.clock(session)
    return read_period(asked.first, asked.last, today(now_us, zone)), zone.key


async def members(session: AsyncSession, group_id: str) -> list[str]:
    """Whose calls are a team's."""
    if not group_id.isprintable() or await session.get(Group, group_id) is None:
        raise not_found("group", group_id)
    return list(await session.scalars(select(GroupMember.user_id).where(GroupMember.group_id == group_id)))


async def names_of_users(session: AsyncSession) -> dict[str, str]:
    return {user_id: name for user_id, name in await session.execute(select(User.id, User.name))} | {"": ""}


async def _report(
    session: AsyncSession, asked: Asked, now_us: int, made: Half, shown: Callable[[rows.Amounts], dict[str, Any]]
) -> tuple[Report, list[rows.Table]]:
    period, time_zone = await period_of(session, asked, now_us)
    tables = [await made(period)]
    report = {"by": asked.by, **_part(period, tables[0], shown), "time_zone": time_zone, "before": None}
    if asked.compare:
        tables.append(await made(period.before()))
        report["before"] = _part(period.before(), tables[1], shown)
    return report, tables


def _part(period: Period, table: rows.Table, shown: Callable[[rows.Amounts], dict[str, Any]]) -> Report:
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "rows": [(key, shown(amounts)) for key, amounts in table.rows],
        "total": shown(table.total),
    }


def _with_labels(report: Report, names: dict[str, str]) -> Report:
    for part in (report, report["before"]):
        if part is not None:
            part["rows"] = rows.labelled(report["by"], part["rows"], names)
    return report


async def _rows_of_calls(session: AsyncSession, by: str) -> tuple[Callable[[Any], Sequence[str]], str]:
    """In which rows a sum stands, and by what the sums are asked for."""
    if by == "heat":
        return lambda hour: [buckets.of_hour(hour)], "heat"
    if by == "hour":
        return lambda hour: [str(hour)], "hour"
    if by in buckets.BY_TIME:
        return _by_days(by), "day"
    if by == "team":
        teams = await _teams(session)
        return lambda user_id: teams.get(user_id, [""]), "user"
    if by == "direction":
        return lambda direction: [buckets.SHORT.get(direction, direction)], "direction"
    return lambda name: [name], by


def _by_days(by: str) -> Callable[[Any], Sequence[str]]:
    return (lambda user_id: [user_id]) if by == "user" else (lambda day: [buckets.of_day(by, day)])


async def _teams(session: AsyncSession) -> Mapping[str, list[str]]:
    """Who is in several counts in each."""
    found: dict[str, list[str]] = defaultdict(list)
    for user_id, group_id in await session.execute(select(GroupMember.user_id, GroupMember.group_id)):
        found[user_id].append(group_id)
    return found


async def _names(session: AsyncSession, by: str, outcomes: dict[str, str]) -> dict[str, str]:
    if by == "user":
        return await names_of_users(session)
    if by == "team":
        return {group_id: name for group_id, name in await session.execute(select(Group.id, Group.name))}
    return outcomes if by == "outcome" else {}


async def _outcomes(session: AsyncSession, used: set[str]) -> list[dict[str, str]]:
    """As they are called now; those that were removed, as they were called when they were last given."""
    query = select(Outcome.id, Outcome.name, Outcome.colour).where(Outcome.id.in_(used)).order_by(Outcome.position)
    found: list[Sequence[Any]] = [tuple(row) for row in await session.execute(query)]
    for gone in sorted(used - {row[0] for row in found}):
        columns = (CallSummary.outcome_id, CallSummary.outcome_name, CallSummary.outcome_colour)
        newest = select(*columns).where(CallSummary.outcome_id == gone).order_by(CallSummary.call_created_us.desc())
        row = (await session.execute(newest.limit(1))).first()
        found.append(tuple(row) if row is not None else (gone, "", ""))
    return [{"id": row[0], "name": row[1] or "", "colour": row[2] or ""} for row in found]
