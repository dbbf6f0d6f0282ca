"""What bills are made of: from the sums by month and what waits to be added to them, or from the charges themselves
where the sums are being made (R2). Both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.billing import BillLine
from crm.repositories import raw

_BY = ("user", "destination", "direction")


@dataclass(frozen=True, slots=True)
class Months:
    """From the first month's beginning to that of the one that is no part of it. ``numbers`` are those that sums are
    kept by, or None where there are no sums by this clock."""

    since_us: int
    until_us: int
    numbers: tuple[int, int] | None


async def booked(session: AsyncSession, of: Months) -> dict[str, int]:
    """What each kind of posting has done to the balance in this time."""
    if of.numbers is None:
        source = """SELECT kind, CASE WHEN debit = 'balance' THEN amount_micros ELSE -amount_micros END AS change
            FROM ledger WHERE at_us >= ? AND at_us < ?"""
    else:
        source = """SELECT kind, in_micros - out_micros AS change FROM postings_to_sum WHERE at_us >= ? AND at_us < ?
            UNION ALL
            SELECT kind, in_micros - out_micros FROM postings_by_month WHERE month >= ? AND month < ?"""
    statement = f"SELECT kind, SUM(change) FROM ({source}) AS changes GROUP BY kind"
    return {kind: int(change) for kind, change in await raw.rows(session, statement, _values(of))}


async def lines(session: AsyncSession, of: Months) -> dict[str, tuple[BillLine, ...]]:
    """By user, by destination and by direction, the dearest first."""
    names = "user_id, rate_name, direction, kind"
    if of.numbers is None:
        source = f"SELECT {names}, 1 AS charges, units, amount_micros FROM charges WHERE ended_us >= ? AND ended_us < ?"
    else:
        columns = f"{names}, charges, units, amount_micros"
        source = f"""SELECT {columns} FROM charges_to_sum WHERE at_us >= ? AND at_us < ?
            UNION ALL SELECT {columns} FROM charges_by_month WHERE month >= ? AND month < ?"""
    statement = (
        f"SELECT {names}, SUM(charges), SUM(units), SUM(amount_micros) FROM ({source}) AS some_charges GROUP BY {names}"
    )
    rows = await raw.rows(session, statement, _values(of))
    return {by: _lines(rows, at) for at, by in enumerate(_BY)}


def _values(of: Months) -> tuple[int, ...]:
    return (of.since_us, of.until_us, *(of.numbers or ()))


def _lines(rows: Sequence[Sequence[Any]], at: int) -> tuple[BillLine, ...]:
    """``at`` is the column of its names."""
    found: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        line = found.setdefault((str(row[at] or ""), row[3]), [0, 0, 0])
        for place, value in enumerate(row[4:]):
            line[place] += int(value)
    made = [BillLine(name, kind, *figures) for (name, kind), figures in found.items()]
    return tuple(sorted(made, key=lambda line: (-line.amount_micros, line.name, line.kind)))
