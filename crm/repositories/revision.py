"""The revision of everything that calls depend on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.organisation import ConfigRevision


@dataclass(frozen=True, slots=True)
class Revisions:
    """``whole`` moves with every change, ``browsers`` besides with those about nothing but phones of browsers."""

    whole: int
    do_not_call: int
    browsers: int


async def current(session: AsyncSession) -> int:
    """Cheap enough to be asked several times a second: one row by its key."""
    return (await session.scalars(select(ConfigRevision.revision).where(ConfigRevision.id == 1))).one()


async def read(session: AsyncSession) -> Revisions:
    row = ConfigRevision
    query = select(row.revision, row.do_not_call_revision, row.browsers_revision).where(row.id == 1)
    return Revisions(*(await session.execute(query)).one())


async def bump(session: AsyncSession, *, do_not_call: bool = False, browsers_only: bool = False) -> None:
    values = {"revision": ConfigRevision.revision + 1}
    if do_not_call:
        values["do_not_call_revision"] = ConfigRevision.do_not_call_revision + 1
    if browsers_only:
        values["browsers_revision"] = ConfigRevision.browsers_revision + 1
    await session.execute(update(ConfigRevision).where(ConfigRevision.id == 1).values(values))
