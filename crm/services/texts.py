"""Texts as the store keeps them: whose conversation each belongs to, in which order, and in which state (T2, T4).

Whether a text may leave is decided before, by the gate; what is written here is accepted. A number that somebody else
has by now begins another conversation, so that nobody reads what was written with the one who had it before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, paging
from crm.errors import Refused, conflict, not_found
from crm.models.people import Record
from crm.models.telephony import Number
from crm.models.texts import Attachment, Text
from crm.models.texts import Conversation as Row
from crm.repositories import texts as repository
from crm.repositories.texts import ConversationFilter, TextFilter, touched
from crm.text_states import WAITING
from crm.texts import Conversation
from crm.texts import Text as Shown
from crm.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewText:
    """What is written down of a text; for one that goes out ``state`` is queued, scheduled or held, for one that came
    in received."""

    did: str
    customer_number: str
    direction: str
    author: str
    body: str
    encoding: str
    segments: int
    state: str
    id: str = ""
    code: str | None = None
    reason: str | None = None
    price_micros: int | None = None
    currency: str | None = None
    scheduled_us: int | None = None
    next_us: int | None = None
    transport_id: str | None = None
    provider_id: str | None = None
    campaign_id: str | None = None
    record_id: str | None = None
    at_us: int | None = None
    attachment_ids: tuple[str, ...] = ()


async def add(work: UnitOfWork, new: NewText) -> tuple[Shown, Conversation]:
    """Write a text down, in the conversation that stands between the two numbers."""
    if new.record_id is not None and await work.session.get(Record, new.record_id) is None:
        raise Refused("not_there", "There is nothing with this id. Choose one from the list.", "record_id")
    conversation = await _standing(work, new)
    conversation.last_seq += 1
    row = Text(
        id=new.id or ids.new(ids.TEXT, work.at_us),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        user_id=conversation.user_id,
        record_id=conversation.record_id,
        state_us=work.at_us,
        tries=0,
        leased_by=None,
        leased_until_us=None,
        sent_us=None,
        delivered_us=None,
        created_us=work.at_us,
        updated_us=work.at_us,
        **{name: getattr(new, name) for name in _COPIED},
    )
    work.session.add(row)
    conversation.last_us = conversation.updated_us = work.at_us
    conversation.unread = conversation.unread + 1 if new.direction == "in" else conversation.unread
    touched(conversation, row)
    await work.flush()
    await _attach(work, row, new.attachment_ids)
    return await both(work.session, row)


_COPIED = (
    *("did", "customer_number", "direction", "author", "body", "encoding", "segments", "state", "code", "reason"),
    *("price_micros", "currency", "scheduled_us", "next_us", "transport_id", "provider_id", "campaign_id"),
)


async def both(session: AsyncSession, row: Text) -> tuple[Shown, Conversation]:
    """A text as it is shown, with its conversation."""
    [text] = await repository.with_files(session, [row])
    conversation = await repository.conversation(session, row.conversation_id)
    if conversation is None:
        raise not_found("conversation", row.conversation_id)
    return text, conversation


async def _standing(work: UnitOfWork, new: NewText) -> Row:
    """The conversation of whoever has the number now; that of who had it before ends."""
    owner = await work.session.scalar(select(Number.user_id).where(Number.e164 == new.did))
    found = await repository.standing(work.session, new.did, new.customer_number)
    if found is not None and found.user_id != owner:
        found.ended_us = found.updated_us = work.at_us
        await work.flush()
        found = None
    if found is None:
        found = _begin(work, new, owner)
        found.record_id = new.record_id or await _record_of(work.session, new.customer_number)
    elif new.record_id is not None and found.record_id is None:
        found.record_id = new.record_id
    return found


def _begin(work: UnitOfWork, new: NewText, owner: str | None) -> Row:
    row = Row(
        id=ids.new(ids.CONVERSATION, work.at_us),
        did=new.did,
        customer_number=new.customer_number,
        user_id=owner,
        record_id=None,
        ended_us=None,
        last_seq=0,
        last_us=work.at_us,
        last_direction=new.direction,
        last_body="",
        last_state=new.state,
        unread=0,
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    return row


async def _record_of(session: AsyncSession, number: str) -> str | None:
    """Contacts go before leads; which of two people with one number it is, somebody says later."""
    found = await repository.records_with(session, number, 1)
    return found[0] if found else None


async def _attach(work: UnitOfWork, row: Text, attachment_ids: Sequence[str]) -> None:
    for each in attachment_ids:
        file = await work.session.get(Attachment, each)
        is_free = file is not None and file.text_id is None
        if file is None or not is_free or (row.direction == "out" and file.user_id != row.user_id):
            raise Refused(
                "no_such_attachment", "This file is not there, or was sent before. Add it again.", "attachments"
            )
        file.text_id = row.id


# -- reading ---------------------------------------------------------------------------------------


async def page(
    session: AsyncSession, wanted: ConversationFilter, *, cursor: str | None = None, limit: int = 50
) -> paging.Page[Conversation]:
    """Conversations, the one with the newest text first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    found = await repository.conversations(session, wanted, after, more)
    return paging.page_of(found, limit, lambda each: (each.last_us, each.id))


async def show(session: AsyncSession, conversation_id: str) -> Conversation:
    found = await repository.conversation(session, conversation_id) if conversation_id.isprintable() else None
    if found is None:
        raise not_found("conversation", conversation_id)
    return found


async def messages(
    session: AsyncSession, conversation_id: str, *, cursor: str | None = None, limit: int = 50
) -> paging.Page[Shown]:
    """The texts of one conversation, newest first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    found = await repository.of_conversation(session, conversation_id, after, more)
    return paging.page_of(found, limit, lambda each: (each.seq, each.id))


async def log(
    session: AsyncSession, wanted: TextFilter, *, cursor: str | None = None, limit: int = 50
) -> paging.Page[Shown]:
    """Texts of all conversations, newest first."""
    more, after = paging.checked_limit(limit) + 1, paging.decode(cursor)
    found = await repository.page(session, wanted, after, more)
    return paging.page_of(found, limit, lambda each: (each.created_us, each.id))


async def text(session: AsyncSession, text_id: str) -> Shown:
    row = await session.get(Text, text_id) if text_id.isprintable() else None
    if row is None:
        raise not_found("text", text_id)
    return (await repository.with_files(session, [row]))[0]


async def exists(session: AsyncSession, text_id: str) -> bool:
    return await session.get(Text, text_id) is not None


async def unread(session: AsyncSession, user_id: str, limit: int = 200) -> list[Conversation]:
    """The user's conversations with something new, the one with the newest text last."""
    wanted = ConversationFilter(user_id=user_id, unread=True)
    return (await repository.conversations(session, wanted, None, limit))[::-1]


async def known(session: AsyncSession, transport_id: str, provider_id: str) -> bool:
    """Whether this text came in before."""
    query = select(Text.id).where(Text.transport_id == transport_id, Text.provider_id == provider_id)
    return (await session.scalars(query.where(Text.direction == "in"))).first() is not None


async def wrote_since(session: AsyncSession, did: str, customer: str, since_us: int) -> bool:
    """Whether the customer has written to this number since then."""
    query = select(Text.id).where(Text.customer_number == customer, Text.created_us >= since_us, Text.did == did)
    return (await session.scalars(query.where(Text.direction == "in").limit(1))).first() is not None


async def answered_since(session: AsyncSession, conversation_id: str, author: str, since_us: int) -> bool:
    """Whether a confirmation of this kind was written since then."""
    query = select(Text.id).where(Text.conversation_id == conversation_id, Text.author == author)
    return (await session.scalars(query.where(Text.created_us >= since_us).limit(1))).first() is not None


# -- changing --------------------------------------------------------------------------------------


async def mark_read(work: UnitOfWork, conversation_id: str, is_read: bool = True) -> Conversation:
    """Read up to now; or as if the newest text had not been read."""
    row = await _conversation(work.session, conversation_id)
    row.unread = 0 if is_read else max(row.unread, 1)
    row.updated_us = work.at_us
    await work.flush()
    return await show(work.session, conversation_id)


async def file_under(work: UnitOfWork, conversation_id: str, record_id: str | None) -> Conversation:
    """File the conversation, with all its texts, under a lead, contact or company; None takes it away."""
    row = await _conversation(work.session, conversation_id)
    if record_id is not None and await work.session.get(Record, record_id) is None:
        raise Refused("not_there", "There is nothing with this id. Choose one from the list.", "record_id")
    row.record_id, row.updated_us = record_id, work.at_us
    await work.session.execute(
        update(Text).where(Text.conversation_id == row.id).values(record_id=record_id, updated_us=work.at_us)
    )
    await work.flush()
    return await show(work.session, conversation_id)


async def cancel(work: UnitOfWork, text_id: str) -> tuple[Shown, Conversation]:
    """Take a text back that has not left; one that the outbox has in hand cannot be."""
    taking = update(Text).where(Text.id == text_id, Text.state.in_(WAITING), Text.direction == "out")
    taking = taking.values(state="canceled", state_us=work.at_us, updated_us=work.at_us, next_us=None)
    if not (await work.session.execute(taking.returning(Text.id))).first():
        found = await text(work.session, text_id)
        raise conflict("not_waiting", f"This text is {found.state}: it cannot be taken back. Only waiting ones can.")
    row = await work.session.get(Text, text_id, populate_existing=True)
    return await changed(work, row)


async def changed(work: UnitOfWork, row: Text | None) -> tuple[Shown, Conversation]:
    """After a text's state has changed: its conversation says so, too."""
    if row is None:
        raise not_found("text", "")
    conversation = await _conversation(work.session, row.conversation_id)
    touched(conversation, row)
    await work.flush()
    return await both(work.session, row)


async def _conversation(session: AsyncSession, conversation_id: str) -> Row:
    row = await session.get(Row, conversation_id) if conversation_id.isprintable() else None
    if row is None:
        raise not_found("conversation", conversation_id)
    return row
