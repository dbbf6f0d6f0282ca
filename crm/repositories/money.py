"""Rates, charges and the ledger in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import billing, rates
from crm.models.money import Charge, Posting, Rate, RateTable
from crm.rates import Prefixes, Price
from crm.repositories import bulk, raw
from crm.repositories.calls import to_record

_LOCK = 0x5177C4A0D19  # of PostgreSQL's advisory locks: who holds it writes into the ledger
_PIECE = 1_000
BALANCE = "balance"


# -- rates -----------------------------------------------------------------------------------------


async def tables(session: AsyncSession, *, active_only: bool = True) -> list[rates.RateTable]:
    """The one that begins last first."""
    query = select(RateTable).order_by(RateTable.valid_from_us.desc(), RateTable.id.desc())
    if active_only:
        query = query.where(RateTable.active)
    return [to_record(rates.RateTable, row) for row in await session.scalars(query)]


async def prices(session: AsyncSession, table_id: str) -> Prefixes:
    """All of a table, in pieces: whoever asks has other things to do between them."""
    found, after = Prefixes(), ""
    statement = (
        "SELECT prefix, name, price_micros, setup_micros, first_s, then_s, media_micros FROM rates "
        f"WHERE table_id = ? AND prefix > ? ORDER BY prefix LIMIT {_PIECE}"
    )
    while rows := await raw.rows(session, statement, (table_id, after)):
        found.add((prefix, Price(*price)) for prefix, *price in rows)
        after = rows[-1][0]
    return found.close()


async def matching(session: AsyncSession, numbers: Iterable[str]) -> list[tuple[rates.RateTable, Prefixes]]:
    """Every table, with as much of it as these numbers may need: one question for any number of them."""
    found = await tables(session)
    wanted = sorted({prefix for number in numbers for prefix in rates.prefixes_of(number)})
    if not found or not wanted:
        return []
    statement = (
        "SELECT table_id, prefix, name, price_micros, setup_micros, first_s, then_s, media_micros FROM rates "
        f"WHERE table_id {raw.IN} AND prefix {raw.IN}"
    )
    parts = {table.id: Prefixes() for table in found}
    for table_id, prefix, *price in await raw.rows(session, statement, ([each.id for each in found], wanted)):
        parts[table_id].add([(prefix, Price(*price))])
    return [(table, parts[table.id].close()) for table in found]


async def page_of_rates(session: AsyncSession, table_id: str, begins: str, after: str, limit: int) -> Sequence[Rate]:
    """By prefix."""
    query = select(Rate).where(Rate.table_id == table_id, Rate.prefix > after)
    if begins:
        query = query.where(Rate.prefix >= begins, Rate.prefix < begins + ":")  # the character after 9
    return list(await session.scalars(query.order_by(Rate.prefix).limit(limit)))


async def add_rates(session: AsyncSession, table_id: str, rows: Sequence[tuple[str, Price]]) -> None:
    names = ("name", "price_micros", "setup_micros", "first_s", "then_s", "media_micros")
    made = [{"table_id": table_id, "prefix": prefix, **dict(zip(names, price, strict=True))} for prefix, price in rows]
    await bulk.add(session, Rate, made)


# -- what is to be priced --------------------------------------------------------------------------


async def legs_to_price(session: AsyncSession, limit: int) -> list[dict[str, Any]]:
    """Those that have ended and left the house, or were a guest's; with what their call says of them."""
    names = ("id", "call_id", "role", "user_id", "trunk_id", "number", "answered_us", "ended_us")
    own = ", ".join(f"l.{name}" for name in names)
    statement = (
        f"SELECT {own}, c.direction, c.did, c.user_id FROM legs l JOIN calls c ON c.id = l.call_id "
        "WHERE l.ended_us IS NOT NULL AND l.priced_us IS NULL AND (l.trunk_id IS NOT NULL OR l.role = 'guest') "
        f"ORDER BY l.ended_us, l.id LIMIT {int(limit)}"
    )
    keys = (*names, "call_direction", "did", "call_user_id")
    return [dict(zip(keys, row, strict=True)) for row in await raw.rows(session, statement, ())]


async def mark_priced(session: AsyncSession, legs: list[str], at_us: int) -> None:
    connection = await session.connection()
    statement, values = raw.for_driver(
        f"UPDATE legs SET priced_us = ? WHERE id {raw.IN}", (at_us, legs), on_sqlite=raw.is_on_sqlite(session)
    )
    await connection.exec_driver_sql(statement, values)


# -- charges ---------------------------------------------------------------------------------------


async def charged(session: AsyncSession, names: Sequence[str]) -> set[str]:
    """Which of these legs and messages have their price already."""
    return set(await session.scalars(select(Charge.id).where(Charge.id.in_(names))))


async def add_charges(session: AsyncSession, charges: Sequence[billing.Charge]) -> None:
    await bulk.add(session, Charge, [{name: getattr(each, name) for name in each.__slots__} for each in charges])


async def charge(session: AsyncSession, name: str) -> billing.Charge | None:
    row = await session.get(Charge, name)
    return to_record(billing.Charge, row) if row is not None else None


async def charges_of(session: AsyncSession, call_id: str) -> list[billing.Charge]:
    query = select(Charge).where(Charge.call_id == call_id).order_by(Charge.began_us, Charge.id)
    return [to_record(billing.Charge, row) for row in await session.scalars(query)]


async def costs(session: AsyncSession, calls: Sequence[str]) -> dict[str, billing.Cost]:
    """Of those that have been priced."""
    query = select(Charge.call_id, func.sum(Charge.amount_micros), func.min(Charge.currency), func.count())
    rows = await session.execute(query.where(Charge.call_id.in_(calls)).group_by(Charge.call_id))
    return {str(call): billing.Cost(int(amount), currency, legs) for call, amount, currency, legs in rows}


async def charges_between(
    session: AsyncSession, after: tuple[int, str], until_us: int, limit: int
) -> list[billing.Charge]:
    """By the moment at which they ended."""
    query = select(Charge).where(tuple_(Charge.ended_us, Charge.id) > tuple_(*after), Charge.ended_us < until_us)
    query = query.order_by(Charge.ended_us, Charge.id).limit(limit)
    return [to_record(billing.Charge, row) for row in await session.scalars(query)]


async def newest_charges(
    session: AsyncSession, since_us: int, before: tuple[int, str], limit: int, user_id: str | None = None
) -> list[billing.Charge]:
    """Those that ended since then and before this one, the last first."""
    query = select(Charge).where(tuple_(Charge.ended_us, Charge.id) < tuple_(*before), Charge.ended_us >= since_us)
    if user_id is not None:
        query = query.where(Charge.user_id == user_id)
    query = query.order_by(Charge.ended_us.desc(), Charge.id.desc()).limit(limit)
    return [to_record(billing.Charge, row) for row in await session.scalars(query)]


async def spent_by_user(session: AsyncSession, since_us: int) -> dict[str, int]:
    query = select(Charge.user_id, func.sum(Charge.amount_micros)).where(Charge.ended_us >= since_us)
    query = query.where(Charge.user_id.is_not(None)).group_by(Charge.user_id)
    return {str(user_id): int(amount) for user_id, amount in await session.execute(query)}


# -- the ledger ------------------------------------------------------------------------------------


async def begin_booking(session: AsyncSession) -> tuple[int, int]:
    """The number and the balance of the last posting; on PostgreSQL writers queue here, on SQLite by their BEGIN."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return await last_posting(session)


async def last_posting(session: AsyncSession) -> tuple[int, int]:
    query = select(Posting.seq, Posting.balance_micros).order_by(Posting.seq.desc()).limit(1)
    row = (await session.execute(query)).first()
    return (row.seq, row.balance_micros) if row else (0, 0)


async def add_postings(session: AsyncSession, postings: Sequence[billing.Posting]) -> None:
    await bulk.add(session, Posting, [{name: getattr(each, name) for name in each.__slots__} for each in postings])


async def posting(session: AsyncSession, name: str) -> billing.Posting | None:
    row = (await session.scalars(select(Posting).where(Posting.id == name))).one_or_none()
    return to_record(billing.Posting, row) if row is not None else None


async def postings(
    session: AsyncSession, *, before_seq: int | None, limit: int, kinds: Sequence[str] = ()
) -> list[billing.Posting]:
    """Newest first."""
    query = select(Posting).order_by(Posting.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(Posting.seq < before_seq)
    if kinds:
        query = query.where(Posting.kind.in_(kinds))
    return [to_record(billing.Posting, row) for row in await session.scalars(query)]


async def postings_after(session: AsyncSession, seq: int, limit: int) -> list[billing.Posting]:
    """In their order."""
    query = select(Posting).where(Posting.seq > seq).order_by(Posting.seq).limit(limit)
    return [to_record(billing.Posting, row) for row in await session.scalars(query)]


async def first_moment(session: AsyncSession) -> int | None:
    """Of which the ledger or a charge says anything; what costs nothing is charged, and not booked."""
    moments = [await session.scalar(select(func.min(column))) for column in (Posting.at_us, Charge.ended_us)]
    return min((moment for moment in moments if moment is not None), default=None)


async def currencies(session: AsyncSession) -> set[str]:
    """Of the account and of all tables."""
    last = select(Posting.currency).order_by(Posting.seq.desc()).limit(1)
    return {*await session.scalars(last), *await session.scalars(select(RateTable.currency).distinct())}
