"""Tables of rates: listing, showing, changing when they hold, removing. They are brought in by
:mod:`crm.services.rate_import`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, paging
from crm.errors import Refused, not_found
from crm.models.money import Rate as RateRow
from crm.models.money import RateTable as Row
from crm.models.telephony import Trunk
from crm.rates import Rate, RateTable, Way
from crm.records import as_dict
from crm.repositories import money
from crm.repositories.calls import to_record
from crm.services import pricing
from crm.unit_of_work import UnitOfWork

CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "valid_from_us": fields.integer(),
    "valid_until_us": fields.optional(fields.integer()),
}


@dataclass(frozen=True, slots=True)
class RateLine:
    """``price_micros`` is of a minute, or of a segment of a text; ``media_micros`` of a text with files."""

    prefix: str
    name: str
    price_micros: int
    setup_micros: int
    first_s: int
    then_s: int
    media_micros: int | None


async def list_all(session: AsyncSession) -> list[RateTable]:
    """The one that begins last first; those that are being read in are left out."""
    return await money.tables(session)


async def show(session: AsyncSession, ref: str) -> RateTable:
    return to_record(RateTable, await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> RateTable:
    """Its name, and when it holds; what was charged stays charged."""
    row = await _find(work.session, ref)
    before = to_record(RateTable, row)
    for name, value in fields.read(values, CHECKS).items():
        setattr(row, name, value)
    check_times(row.valid_from_us, row.valid_until_us)
    after = to_record(RateTable, row)
    if after != before:
        row.updated_us = work.at_us
        await work.flush()
        work.record("rates.change", row.id, as_dict(before), as_dict(after))
    return to_record(RateTable, row)


async def remove(work: UnitOfWork, ref: str) -> RateTable:
    """The one before it holds again; what was charged stays charged."""
    row = await _find(work.session, ref)
    gone = to_record(RateTable, row)
    await work.session.execute(delete(RateRow).where(RateRow.table_id == row.id))
    await work.session.delete(row)
    await work.flush()
    work.record("rates.remove", gone.id, as_dict(gone), None)
    return gone


async def lines(
    session: AsyncSession, ref: str, *, begins: str = "", cursor: str | None = None, limit: int = 50
) -> paging.Page[RateLine]:
    """What stands in a table, by prefix; ``begins`` with or without a plus."""
    paging.checked_limit(limit)
    row, after = await _find(session, ref), paging.decode(cursor)
    found = await money.page_of_rates(session, row.id, begins.lstrip("+"), after[1] if after else "", limit + 1)
    shown = [to_record(RateLine, each) for each in found]
    return paging.page_of(shown, limit, lambda line: (0, line.prefix))


async def price(
    session: AsyncSession, number: str, *, direction: str = Way.OUTBOUND, trunk_id: str | None = None, at_us: int
) -> Rate | None:
    """What a call or text to this number (E.164) costs; None where nobody has set a price."""
    fields.one("direction", direction, fields.choice(*Way))
    book = await pricing.book_for(session, [number])
    return book.find(direction, number, trunk_id, at_us)


async def check_trunk(session: AsyncSession, trunk_id: str | None) -> None:
    if trunk_id is not None and await session.get(Trunk, trunk_id) is None:
        raise Refused("not_there", "There is no such trunk. Choose one from the list.", "trunk_id")


def check_times(valid_from_us: int, valid_until_us: int | None) -> None:
    if valid_until_us is not None and valid_until_us <= valid_from_us:
        raise Refused("ends_first", "A table cannot end before it begins. Choose a later end.", "valid_until_us")


async def _find(session: AsyncSession, ref: str) -> Row:
    """By id or name."""
    row = None
    if isinstance(ref, str) and ref.isprintable():
        row = (await session.scalars(select(Row).where((Row.id == ref) | (Row.name == ref), Row.active))).first()
    if row is None:
        raise not_found("rate table", str(ref))
    return row
