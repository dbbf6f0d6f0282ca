"""The bill of a month, in the organisation's time zone: sums, and every charge as CSV (R2).

A leg belongs to the month in which it ended, and so does its posting: what the charges of a month add up to is what the
ledger took from the balance for it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import csv_files, ids, paging
from crm.billing import Bill, BillMonth, Charge
from crm.errors import Refused
from crm.models.users import User
from crm.reports.calendar import FOR_EVER_US
from crm.repositories import bill_sums, money
from crm.repositories.bill_sums import Months
from crm.services import ledger, settings, sums

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_AT_ONCE = 1_000
_LAST_MONTH = 9_999 * 12
COLUMNS = (
    *("ended", "kind", "direction", "user", "number", "destination", "prefix", "units", "price", "setup"),
    *("increments", "amount", "currency", "call", "id"),
)


async def months(session: AsyncSession) -> list[BillMonth]:
    """Those of which there is anything to say, the newest first."""
    first = await money.first_moment(session)
    if first is None:
        return []
    zone = await _zone(session)
    now = datetime.fromtimestamp(ids.now_us() / 1e6, zone)
    at = datetime.fromtimestamp(first / 1e6, zone)
    found = [
        BillMonth(f"{year}-{month:02}", (year, month) == (now.year, now.month))
        for year in range(at.year, now.year + 1)
        for month in range(1, 13)
        if (at.year, at.month) <= (year, month) <= (now.year, now.month)
    ]
    return found[::-1]


async def bill(session: AsyncSession, month: str) -> Bill:
    """``month`` is like 2026-11."""
    zone = await _zone(session)
    since, until = _bounds(month, zone)
    number = _number(month) if await sums.are_by(session, zone) else None
    this = Months(since, until, None if number is None else (number, number + 1))
    from_then_on = Months(since, FOR_EVER_US, None if number is None else (number, _LAST_MONTH))
    left = await ledger.left_over(session)
    opening = left - sum((await bill_sums.booked(session, from_then_on)).values())
    booked = await bill_sums.booked(session, this)
    lines = await bill_sums.lines(session, this)
    directions = lines["direction"]
    return Bill(
        month=month,
        since_us=since,
        until_us=until,
        time_zone=zone.key,
        currency=str((await settings.values(session))["billing.currency"]),
        opening_micros=opening,
        paid_in_micros=sum(booked.get(kind, 0) for kind in ledger.PAID_IN),
        adjusted_micros=booked.get(ledger.ADJUSTMENT, 0),
        calls_micros=sum(line.amount_micros for line in directions if line.kind == "call"),
        texts_micros=sum(line.amount_micros for line in directions if line.kind == "text"),
        closing_micros=opening + sum(booked.values()),
        charges=sum(line.count for line in directions),
        users=lines["user"],
        destinations=lines["destination"],
        directions=directions,
    )


async def charges(session: AsyncSession, since_us: int, until_us: int) -> AsyncIterator[list[Charge]]:
    """Some at a time, in the order in which they ended."""
    after = (since_us, "")
    while found := await money.charges_between(session, after, until_us, _AT_ONCE):
        yield found
        after = (found[-1].ended_us, found[-1].id)


async def page(
    session: AsyncSession, month: str, *, user_id: str | None = None, cursor: str | None = None, limit: int = 50
) -> paging.Page[Charge]:
    """A page at a time, what ended last first."""
    paging.checked_limit(limit)
    since, until = _bounds(month, await _zone(session))
    before = paging.decode(cursor) or (until, "")
    found = await money.newest_charges(session, since, before, limit + 1, user_id)
    return paging.page_of(found, limit, lambda charge: (charge.ended_us, charge.id))


async def as_csv(session: AsyncSession, bill: Bill) -> AsyncIterator[str]:
    """The file in pieces: its header, then every charge of the month."""
    names = await names_of_users(session)
    zone = ZoneInfo(bill.time_zone)
    yield csv_files.row(COLUMNS)
    async for some in charges(session, bill.since_us, bill.until_us):
        yield "".join(csv_files.row(_cells(charge, names, zone)) for charge in some)


async def names_of_users(session: AsyncSession) -> dict[str, str]:
    return {user_id: name for user_id, name in await session.execute(select(User.id, User.name))}


def _cells(charge: Charge, names: dict[str, str], zone: ZoneInfo) -> tuple[str, ...]:
    return (
        datetime.fromtimestamp(charge.ended_us / 1e6, zone).isoformat(timespec="seconds"),
        charge.kind,
        charge.direction,
        names.get(charge.user_id or "", charge.user_id or ""),
        charge.number or "",
        charge.rate_name,
        charge.prefix,
        str(charge.units),
        decimal(charge.price_micros),
        decimal(charge.setup_micros),
        f"{charge.first_s}/{charge.then_s}",
        decimal(charge.amount_micros),
        charge.currency,
        charge.call_id or "",
        charge.id,
    )


def decimal(micros: int) -> str:
    """Micro-units as a decimal number of units, exact and without zeros at its end."""
    text = f"{Decimal(micros) / 1_000_000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


async def _zone(session: AsyncSession) -> ZoneInfo:
    return ZoneInfo(str((await settings.values(session))["default_time_zone"]))


def _number(month: str) -> int:
    """As sums are kept by."""
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


def _bounds(month: str, zone: ZoneInfo) -> tuple[int, int]:
    found = _MONTH.fullmatch(month) if isinstance(month, str) else None
    if found is None:
        raise Refused("no_month", "A month is written like 2026-11.", "month", 404)
    year, number = int(found[1]), int(found[2])
    began = datetime(year, number, 1, tzinfo=zone)
    ends = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return tuple(int(each.astimezone(UTC).timestamp()) * 1_000_000 for each in (began, ends))  # type: ignore[return-value]
