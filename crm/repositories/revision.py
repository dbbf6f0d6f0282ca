"""The revision of everything that calls depend on."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.organisation import ConfigRevision


async def current(session: AsyncSession) -> int:
    """Cheap enough to be asked several times a second: one row by its key."""
    return (await session.scalars(select(ConfigRevision.revision).where(ConfigRevision.id == 1))).one()


async def of_do_not_call(session: AsyncSession) -> int:
    return (await session.scalars(select(ConfigRevision.do_not_call_revision).where(ConfigRevision.id == 1))).one()


async def bump(session: AsyncSession, *, do_not_call: bool = False) -> None:
    values = {"revision": ConfigRevision.revision + 1}
    if do_not_call:
        values["do_not_call_revision"] = ConfigRevision.do_not_call_revision + 1
    await session.execute(update(ConfigRevision).where(ConfigRevision.id == 1).values(values))
