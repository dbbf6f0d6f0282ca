"""Reports on call volume against deal value, and on call lists (R3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.reports import buckets, rows
from crm.reports.calendar import HOUR_US, Period, day_number
from crm.repositories import report_deals, report_sums
from crm.services import settings
from crm.services.reports import Asked, Report, names_of_users, period_of

DEALS_BY = ("user", "month", "stage")
_DEALS = ("calls", "answered", "talk_s", "deals", "value_micros", "won", "won_micros", "lost")
_SHORTEST_US = HOUR_US // 12
"""Nobody is said to make 60 calls an hour after the first one."""
Sums = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Money:
    """By which clock and in which currency deals are added up, and what rows are called."""

    zone: ZoneInfo
    currency: str
    names: dict[str, str]

    def worth(self, value_micros: int | None, currency: str) -> int:
        return value_micros or 0 if currency == self.currency else 0


async def deals(session: AsyncSession, asked: Asked, now_us: int) -> Report:
    """Calls beside the deals that were made, won and lost in the same time, with their value in the account's
    currency. By stage: the calls whose topic was a deal."""
    fields.one("by", asked.by, fields.choice(*DEALS_BY))
    period, time_zone = await period_of(session, asked, now_us)
    currency = str((await settings.values(session))["billing.currency"])
    names = await names_of_users(session) if asked.by == "user" else {}
    money = _Money(ZoneInfo(time_zone), currency, names)
    report = {"by": asked.by, **await _deals(session, asked, period, money), "time_zone": time_zone}
    before = await _deals(session, asked, period.before(), money) if asked.compare else None
    return report | {"currency": currency, "before": before}


async def lists(session: AsyncSession, asked: Asked, now_us: int) -> Report:
    """What came of each call list. Entries are those that stand in it now."""
    period, time_zone = await period_of(session, asked, now_us)
    zone = ZoneInfo(time_zone)
    report = {"by": "list", **await _lists(session, asked, period, zone, now_us), "time_zone": time_zone}
    before = await _lists(session, asked, period.before(), zone, now_us) if asked.compare else None
    return report | {"before": before}


async def _deals(session: AsyncSession, asked: Asked, period: Period, money: _Money) -> Report:
    made: Sums = {key: dict.fromkeys(_DEALS, 0) for key in buckets.keys(asked.by, period)}
    total: dict[str, Any] = dict.fromkeys(_DEALS, 0)
    for key, amounts in await _amounts(session, asked, period, money):
        row = made.setdefault(key, dict.fromkeys(_DEALS, 0))
        for name, value in amounts.items():
            row[name] += value
            total[name] += value
    for each in (*made.values(), total):
        each["talk_s"] = rows.seconds(each["talk_s"])
    ordered = list(made.items())
    if asked.by != "month":
        ordered = sorted(ordered, key=lambda row: (-row[1]["won_micros"], -row[1]["calls"], row[0]))
    return _part(period, rows.labelled(asked.by, ordered, money.names), total)


async def _amounts(
    session: AsyncSession, asked: Asked, period: Period, money: _Money
) -> list[tuple[str, dict[str, int]]]:
    """What is added to which row; talk time in milliseconds as yet."""
    between = period.bounds_us(money.zone)
    found = [
        (key, {"calls": calls, "answered": answered, "talk_s": talk_ms})
        for key, calls, answered, talk_ms in await _calls(session, asked, period, between)
    ]
    for owner, stage, at_us, value, currency in await report_deals.opened(session, between, asked.user_ids):
        worth = money.worth(value, currency)
        found.append((_row(asked.by, owner, stage, at_us, money.zone), {"deals": 1, "value_micros": worth}))
    for owner, stage, at_us, value, currency, status in await report_deals.closed(session, between, asked.user_ids):
        came_to = {"won": 1, "won_micros": money.worth(value, currency)} if status == "won" else {"lost": 1}
        found.append((_row(asked.by, owner, stage, at_us, money.zone), came_to))
    return found


async def _calls(
    session: AsyncSession, asked: Asked, period: Period, between: tuple[int, int]
) -> list[tuple[str, int, int, int]]:
    """Row, number, answered, talk time."""
    if asked.by == "stage":
        return [tuple(row) for row in await report_deals.calls_by_stage(session, between, asked.user_ids)]
    grain = "user" if asked.by == "user" else "day"
    found = await report_sums.calls(session, grain, period, asked.user_ids, None)
    return [
        (what if asked.by == "user" else buckets.of_day("month", what), calls, answered, talk_ms)
        for what, _, calls, answered, _, talk_ms, _ in found
    ]


def _row(by: str, owner: str | None, stage: str, at_us: int, zone: ZoneInfo) -> str:
    if by == "month":
        return buckets.of_day("month", day_number(datetime.fromtimestamp(at_us / 1e6, zone).date()))
    return stage if by == "stage" else owner or ""


def _part(period: Period, shown: list[dict[str, Any]], total: dict[str, Any]) -> Report:
    return {"from": period.first.isoformat(), "to": period.last.isoformat(), "rows": shown, "total": total}


async def _lists(session: AsyncSession, asked: Asked, period: Period, zone: ZoneInfo, now_us: int) -> Report:
    found = await report_sums.listed(session, period, asked.user_ids)
    table = rows.table("list", period, found, len(report_sums.LISTED), lambda list_id: [list_id])
    names, entries = await report_deals.lists(session), await report_deals.entries(session)
    worked = await report_deals.worked_us(session, period.bounds_us(zone), asked.user_ids, now_us)
    shown = sorted(table.rows, key=lambda row: (-row[1].values[0], row[0]))
    made = [(key, _list_fields(each, entries.get(key, 0), worked.get(key, 0))) for key, each in shown]
    called = {key for key, _ in shown}
    total = _list_fields(
        table.total, sum(entries.get(key, 0) for key in called), sum(worked.get(key, 0) for key in called)
    )
    return _part(period, rows.labelled("list", made, {key: names.get(key, "") for key in called}), total)


def _list_fields(amounts: rows.Amounts, entries: int, worked_us: int) -> dict[str, Any]:
    called, reached, talk_ms = amounts.values
    hours = max(worked_us, _SHORTEST_US) / HOUR_US
    return {
        "entries": entries,
        "called": called,
        "reached": reached,
        "talk_s": rows.seconds(talk_ms),
        "results": {part: count for part, count in sorted(amounts.parts.items()) if count},
        "calls_per_hour": round(called / hours, 1),
    }
