"""Notes on records: written at any time, or during a call and saved as they are typed (V11)."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging, people
from crm.errors import Refused, not_found
from crm.models.people import Deal, Note
from crm.paging import Page
from crm.services import activities
from crm.services import people as records
from crm.unit_of_work import UnitOfWork

_text = fields.text(20_000, lines=True)


async def add(
    work: UnitOfWork, record_id: str, text: str, *, call_id: str | None = None, deal_id: str | None = None
) -> people.Note:
    await records.show(work.session, record_id)
    if deal_id is not None and await work.session.get(Deal, deal_id) is None:
        raise not_found("deal", deal_id)
    row = Note(
        id=ids.new(ids.NOTE, work.at_us),
        record_id=record_id,
        deal_id=deal_id,
        call_id=call_id,
        author_id=work.actor.id or None,
        text=fields.one("text", text, _text),
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    activities.add(work, record_id, "note.add", row.id, {"text": row.text[:500]})
    return _note(row)


async def change(work: UnitOfWork, note_id: str, text: str) -> people.Note:
    """Its author, a manager or an admin may; others are refused."""
    row = await _own(work, note_id)
    row.text, row.updated_us = fields.one("text", text, _text), work.at_us
    await work.flush()
    activities.add(work, row.record_id, "note.change", row.id, {"text": row.text[:500]})
    return _note(row)


async def remove(work: UnitOfWork, note_id: str) -> None:
    row = await _own(work, note_id)
    work.record("note.remove", row.id, {"record_id": row.record_id, "text": row.text[:500]}, None, touches_calls=False)
    await work.session.delete(row)
    await work.flush()


async def page(
    session: AsyncSession, record_id: str, *, cursor: str | None = None, limit: int = 50
) -> Page[people.Note]:
    """Newest first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    query = select(Note).where(Note.record_id == record_id)
    if after is not None:
        query = query.where(tuple_(Note.created_us, Note.id) < after)
    rows = list(await session.scalars(query.order_by(Note.created_us.desc(), Note.id.desc()).limit(more)))
    return paging.page_of([_note(row) for row in rows], limit, lambda note: (note.created_us, note.id))


async def for_call(session: AsyncSession, call_id: str) -> list[people.Note]:
    rows = await session.scalars(select(Note).where(Note.call_id == call_id).order_by(Note.created_us, Note.id))
    return [_note(row) for row in rows]


async def keep_for_call(
    work: UnitOfWork, call_id: str, record_id: str | None, text: str, *, deal_id: str | None = None
) -> people.Note | None:
    """The one note of this user on this call, made or overwritten; it follows when the call is put on another record,
    and is taken away where there is no record any more (None).

    Saving again leaves one line in the feed: the one that says that the note was made.
    """
    author = work.actor.id or None
    query = select(Note).where(Note.call_id == call_id, Note.author_id == author).limit(1)
    row = (await work.session.scalars(query)).first()
    if record_id is None:
        if row is not None:
            await work.session.delete(row)
            await work.flush()
        return None
    if row is None:
        return await add(work, record_id, text, call_id=call_id, deal_id=deal_id)
    await records.show(work.session, record_id)
    row.text = fields.one("text", text, _text)
    row.record_id, row.deal_id, row.updated_us = record_id, deal_id, work.at_us
    await work.flush()
    return _note(row)


async def _own(work: UnitOfWork, note_id: str) -> Note:
    row = await work.session.get(Note, note_id)
    if row is None:
        raise not_found("note", note_id)
    if work.actor.role == "rep" and row.author_id != work.actor.id:
        raise Refused(
            "not_your_note",
            "Only its author, a manager or an admin may change this note. Write one of your own.",
            status=403,
        )
    return row


def _note(row: Note) -> people.Note:
    return people.Note(
        row.id, row.record_id, row.deal_id, row.call_id, row.author_id, row.text, row.created_us, row.updated_us
    )
