"""Recordings as the log knows them; the files are the engine's. Who may hear one follows from its call."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from crm.errors import not_found
from crm.models.calls import Recording as Row
from crm.records import Recording
from crm.repositories import calls


async def show(session: AsyncSession, recording_id: str) -> Recording:
    may_be = isinstance(recording_id, str) and recording_id.isprintable()
    row = await session.get(Row, recording_id) if may_be else None
    if row is None:
        raise not_found("recording", str(recording_id))
    return calls.to_record(Recording, row)


async def of_call(session: AsyncSession, call_id: str) -> list[Recording]:
    """Oldest first."""
    return await calls.recordings(session, call_id)


async def unfinished(session: AsyncSession) -> list[Recording]:
    """Those whose file is not in place yet: what a restart has to repair."""
    return await calls.unfinished_recordings(session)
