"""Conversations and texts: reading them, and numbering what is added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import texts
from crm.models.people import Phone, Record
from crm.models.texts import Attachment, Conversation, OptOut, Text
from crm.repositories.calls import to_record

PREVIEW = 200


async def opted_out(session: AsyncSession) -> frozenset[str]:
    """Who has asked for no texts."""
    return frozenset(await session.scalars(select(OptOut.e164)))


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """What to list; None means any. ``query`` finds the customer's number or what was said last."""

    user_id: str | None = None
    did: str | None = None
    customer_number: str | None = None
    record_id: str | None = None
    unread: bool | None = None
    ended: bool | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class TextFilter:
    """As for conversations; ``waiting`` is what has not left: scheduled, held and queued ones."""

    user_id: str | None = None
    did: str | None = None
    customer_number: str | None = None
    record_id: str | None = None
    direction: str | None = None
    state: str | None = None
    since_us: int | None = None
    until_us: int | None = None


def to_attachment(row: Attachment) -> texts.Attachment:
    return to_record(texts.Attachment, row)


def to_text(row: Text, files: Sequence[texts.Attachment] = ()) -> texts.Text:
    names = (name for name in texts.Text.__dataclass_fields__ if name != "attachments")
    return texts.Text(**{name: getattr(row, name) for name in names}, attachments=tuple(files))


def to_conversation(row: Conversation, name: str | None = None, company: str | None = None) -> texts.Conversation:
    names = (each for each in texts.Conversation.__dataclass_fields__ if each not in ("name", "company"))
    return texts.Conversation(**{each: getattr(row, each) for each in names}, name=name, company=company)


# -- conversations ---------------------------------------------------------------------------------


async def conversations(
    session: AsyncSession, wanted: ConversationFilter, after: tuple[int, str] | None, limit: int
) -> list[texts.Conversation]:
    """The one with the newest text first."""
    query = select(Conversation).where(*_conditions(wanted))
    if after is not None:
        query = query.where(tuple_(Conversation.last_us, Conversation.id) < tuple_(*after))
    query = query.order_by(Conversation.last_us.desc(), Conversation.id.desc()).limit(limit)
    return await _named(session, list(await session.scalars(query)))


async def conversation(session: AsyncSession, conversation_id: str) -> texts.Conversation | None:
    row = await session.get(Conversation, conversation_id)
    return (await _named(session, [row]))[0] if row is not None else None


async def standing(session: AsyncSession, did: str, customer: str) -> Conversation | None:
    """Locked, as its texts are numbered by it."""
    query = select(Conversation).where(Conversation.did == did, Conversation.customer_number == customer)
    return (await session.scalars(query.where(Conversation.ended_us.is_(None)).with_for_update())).one_or_none()


async def records_with(session: AsyncSession, number: str, limit: int = 2) -> list[str]:
    """Ids of contacts, leads and companies that have the number, contacts first."""
    query = select(Record.id).join(Phone, Phone.record_id == Record.id).where(Phone.e164 == number).distinct()
    found = list(await session.scalars(query.limit(limit * 10)))
    return sorted(found, key=lambda each: (not each.startswith("p_"), not each.startswith("l_"), each))[:limit]


def _conditions(wanted: ConversationFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("user_id", "did", "customer_number", "record_id"):
        if getattr(wanted, name) is not None:
            found.append(getattr(Conversation, name) == getattr(wanted, name))
    if wanted.unread is not None:
        found.append(Conversation.unread > 0 if wanted.unread else Conversation.unread == 0)
    if wanted.ended is not None:
        found.append(Conversation.ended_us.is_not(None) if wanted.ended else Conversation.ended_us.is_(None))
    if wanted.since_us is not None:
        found.append(Conversation.last_us >= wanted.since_us)
    if wanted.until_us is not None:
        found.append(Conversation.last_us < wanted.until_us)
    return found


async def _named(session: AsyncSession, rows: Sequence[Conversation]) -> list[texts.Conversation]:
    """With whom they are, by the records they are filed under."""
    names: dict[str, tuple[str, str]] = {}
    wanted = {row.record_id for row in rows if row.record_id}
    if wanted:
        company = Record.__table__.alias()
        query = select(Record.id, Record.name, Record.company_name, company.c.name)
        query = query.outerjoin(company, company.c.id == Record.company_id).where(Record.id.in_(wanted))
        names = {found: (name, of_company or own) for found, name, own, of_company in await session.execute(query)}
    return [to_conversation(row, *names.get(row.record_id or "", (None, None))) for row in rows]


# -- texts -----------------------------------------------------------------------------------------


async def of_conversation(
    session: AsyncSession, conversation_id: str, after: tuple[int, str] | None, limit: int
) -> list[texts.Text]:
    """Newest first, by their numbers in the conversation."""
    query = select(Text).where(Text.conversation_id == conversation_id)
    if after is not None:
        query = query.where(Text.seq < after[0])
    return await with_files(session, list(await session.scalars(query.order_by(Text.seq.desc()).limit(limit))))


async def page(
    session: AsyncSession, wanted: TextFilter, after: tuple[int, str] | None, limit: int
) -> list[texts.Text]:
    """Newest first, of all conversations."""
    query = _after(select(Text).where(*_of(wanted)), after)
    rows = await session.scalars(query.order_by(Text.created_us.desc(), Text.id.desc()).limit(limit))
    return await with_files(session, list(rows))


async def with_files(session: AsyncSession, rows: Sequence[Text]) -> list[texts.Text]:
    files: dict[str, list[texts.Attachment]] = defaultdict(list)
    if rows:
        query = select(Attachment).where(Attachment.text_id.in_([row.id for row in rows]))
        for each in await session.scalars(query.order_by(Attachment.created_us, Attachment.id)):
            files[str(each.text_id)].append(to_attachment(each))
    return [to_text(row, files[row.id]) for row in rows]


def _after(query: Select[Text], after: tuple[int, str] | None) -> Select[Text]:
    return query if after is None else query.where(tuple_(Text.created_us, Text.id) < tuple_(*after))


def _of(wanted: TextFilter) -> list[ColumnElement[bool]]:
    names = ("user_id", "did", "customer_number", "record_id", "direction", "state")
    found: list[ColumnElement[bool]] = [
        getattr(Text, name) == getattr(wanted, name) for name in names if getattr(wanted, name) is not None
    ]
    if wanted.since_us is not None:
        found.append(Text.created_us >= wanted.since_us)
    return found if wanted.until_us is None else [*found, Text.created_us < wanted.until_us]


def preview(body: str) -> str:
    """What a list shows of a text."""
    return body if len(body) <= PREVIEW else body[: PREVIEW - 1] + "…"


def touched(conversation: Conversation, row: Text) -> None:
    """The conversation repeats its newest text for lists."""
    newer: Any = row.seq >= conversation.last_seq
    if newer:
        conversation.last_direction, conversation.last_state = row.direction, row.state
        conversation.last_body = preview(row.body)
