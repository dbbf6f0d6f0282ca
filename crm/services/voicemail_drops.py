"""Messages that users recorded for the mailboxes of others. Each is its user's own."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids
from crm.call_lists import Drop
from crm.errors import Refused, not_found
from crm.models.call_lists import VoicemailDrop as Row
from crm.records import as_dict
from crm.unit_of_work import UnitOfWork

MOST = 20
_NAME = fields.text(100)


async def list_all(session: AsyncSession, user_id: str) -> list[Drop]:
    """In the order in which they were recorded: the first is the one that one key leaves."""
    rows = await session.scalars(select(Row).where(Row.user_id == user_id).order_by(Row.created_us, Row.id))
    return [_drop(row) for row in rows]


async def show(session: AsyncSession, drop_id: str, user_id: str) -> tuple[Drop, str]:
    """With the name of its sound."""
    row = await _find(session, drop_id, user_id)
    return _drop(row), row.sound


async def add(work: UnitOfWork, user_id: str, name: str, sound: str, duration_ms: int) -> Drop:
    """The sound stands in its place already."""
    if (await work.session.scalar(select(func.count()).where(Row.user_id == user_id)) or 0) >= MOST:
        raise Refused("too_many", f"You have {MOST} messages. Remove one first.", "name")
    row = Row(
        id=ids.new(ids.DROP, work.at_us),
        user_id=user_id,
        name=fields.one("name", name, _NAME),
        sound=sound,
        duration_ms=duration_ms,
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    work.record("drop.add", row.id, None, as_dict(_drop(row)), touches_calls=False)
    return _drop(row)


async def rename(work: UnitOfWork, drop_id: str, user_id: str, name: str) -> Drop:
    row = await _find(work.session, drop_id, user_id)
    before = _drop(row)
    row.name, row.updated_us = fields.one("name", name, _NAME), work.at_us
    await work.flush()
    work.record("drop.change", row.id, as_dict(before), as_dict(_drop(row)), touches_calls=False)
    return _drop(row)


async def remove(work: UnitOfWork, drop_id: str, user_id: str) -> str:
    """Gives the name of the sound that is not used any more."""
    row = await _find(work.session, drop_id, user_id)
    gone, sound = _drop(row), row.sound
    await work.session.delete(row)
    await work.flush()
    work.record("drop.remove", gone.id, as_dict(gone), None, touches_calls=False)
    return sound


async def _find(session: AsyncSession, drop_id: str, user_id: str) -> Row:
    row = await session.get(Row, drop_id) if drop_id.isprintable() else None
    if row is None or row.user_id != user_id:
        raise not_found("message of yours", drop_id)
    return row


def _drop(row: Row) -> Drop:
    return Drop(row.id, row.user_id, row.name, row.duration_ms, row.created_us, row.updated_us)
