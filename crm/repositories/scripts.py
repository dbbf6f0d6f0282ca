"""Scripts, and who sees them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import records
from crm.models.scripts import Script
from crm.models.telephony import GroupMember


def to_script(row: Script) -> records.Script:
    return records.Script(
        row.id,
        row.name,
        row.body,
        row.direction,
        tuple(row.group_ids),
        row.position,
        row.active,
        row.created_us,
        row.updated_us,
    )


async def scripts(session: AsyncSession) -> list[records.Script]:
    """In the order in which they are tried."""
    rows = await session.scalars(select(Script).order_by(Script.position, Script.created_us, Script.id))
    return [to_script(row) for row in rows]


async def last_position(session: AsyncSession) -> int | None:
    return await session.scalar(select(func.max(Script.position)))


async def groups_of(session: AsyncSession, user_id: str) -> set[str]:
    return set(await session.scalars(select(GroupMember.group_id).where(GroupMember.user_id == user_id)))
