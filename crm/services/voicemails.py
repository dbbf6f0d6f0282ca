"""Messages that callers left: listing, heard or new, removing (I7)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from crm import paging
from crm.errors import not_found
from crm.models.calls import Voicemail as Row
from crm.records import Voicemail
from crm.repositories import calls
from crm.unit_of_work import UnitOfWork


async def list_all(
    session: AsyncSession, user_id: str, *, heard: bool | None = None, cursor: str | None = None, limit: int = 50
) -> paging.Page[Voicemail]:
    """Newest first; ``heard`` False for the new ones."""
    paging.checked_limit(limit)
    found = await calls.voicemails(session, user_id, heard=heard, after=paging.decode(cursor), limit=limit + 1)
    return paging.page_of(found, limit, lambda message: (message.created_us, message.id))


async def show(session: AsyncSession, voicemail_id: str) -> Voicemail:
    return calls.to_record(Voicemail, await _find(session, voicemail_id))


async def mark_heard(work: UnitOfWork, voicemail_id: str, heard: bool = True) -> Voicemail:
    """The first time stays; False makes the message new again."""
    row = await _find(work.session, voicemail_id)
    row.heard_us = (row.heard_us or work.at_us) if heard else None
    await work.flush()
    return calls.to_record(Voicemail, row)


async def remove(work: UnitOfWork, voicemail_id: str) -> Voicemail:
    """Takes it out of the list and gives what it was, so that the caller destroys the file."""
    row = await _find(work.session, voicemail_id)
    before = calls.to_record(Voicemail, row)
    row.removed_us, row.path, row.sha256 = work.at_us, None, None
    await work.flush()
    work.record("voicemail.remove", before.id, {"user_id": before.user_id}, None, touches_calls=False)
    return before


async def _find(session: AsyncSession, voicemail_id: str) -> Row:
    may_be = isinstance(voicemail_id, str) and voicemail_id.isprintable()
    row = await session.get(Row, voicemail_id) if may_be else None
    if row is None or row.removed_us is not None:
        raise not_found("voicemail message", str(voicemail_id))
    return row
