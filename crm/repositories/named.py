"""Rows that people call by a name of their own, no two alike: found by it or by id."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.base import Base

Row = TypeVar("Row", bound=Base)


async def find(session: AsyncSession, kind: type[Row], ref: object) -> Row | None:
    """None also for what can be neither."""
    if not isinstance(ref, str) or not ref.isprintable():
        return None
    name: Any = kind.__table__.c.name
    found = await session.get(kind, ref)
    return found or (await session.scalars(select(kind).where(name == ref))).one_or_none()


async def is_taken(session: AsyncSession, kind: type[Base], name: str, own_id: str) -> bool:
    """Whether another row has this name, or has it for its id."""
    other: Any = await find(session, kind, name)
    return other is not None and other.id != own_id
