"""Rows of addresses that are kept out."""

from __future__ import annotations

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.blocks import Block as Row
from crm.records import Block


async def standing(session: AsyncSession, now_us: int, limit: int | None = None) -> list[Block]:
    """Those that hold now, the newest first."""
    query = select(Row).where(or_(Row.until_us.is_(None), Row.until_us > now_us))
    query = query.order_by(Row.since_us.desc(), Row.address).limit(limit)
    return [record(row) for row in await session.scalars(query)]


async def forget_ended(session: AsyncSession, before_us: int, but: str) -> None:
    """All that ended before this moment, ``but`` one address."""
    await session.execute(delete(Row).where(Row.until_us < before_us, Row.address != but))


def record(row: Row) -> Block:
    return Block(row.address, row.since_us, row.until_us, row.times, row.source, row.reason)
