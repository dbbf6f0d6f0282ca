"""Settings and the do-not-call list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.organisation import DoNotCall, Setting


async def changed_settings(session: AsyncSession) -> dict[str, Any]:
    rows = await session.execute(select(Setting.key, Setting.value))
    return {key: value for key, value in rows}


async def do_not_call_numbers(session: AsyncSession) -> frozenset[str]:
    return frozenset(await session.scalars(select(DoNotCall.e164)))


async def do_not_call_page(session: AsyncSession, after: tuple[int, str] | None, limit: int) -> Sequence[DoNotCall]:
    """Newest first."""
    query = select(DoNotCall).order_by(DoNotCall.created_us.desc(), DoNotCall.e164.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(DoNotCall.created_us, DoNotCall.e164) < tuple_(*after))
    return (await session.scalars(query)).all()
