"""The outbox: what waits, who has it in hand, and what came of it (P3, T4).

A text is leased in one transaction, sent, and what came of it noted in another. Whoever dies in between leaves a text
of which nobody knows whether it left: it is sent again only by a transport whose other side recognises it, else it
stays unknown until a report tells.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.models.texts import Attachment, EarlyReport, Text, TextPart
from crm.repositories import texts as repository
from crm.services import pricing, texts
from crm.text_states import WAITING, may
from crm.texts import Conversation
from crm.texts import Text as Shown
from crm.unit_of_work import UnitOfWork

LEASE_US = 90_000_000
EARLY_KEPT_US = 24 * 3_600_000_000
_NOT_DELIVERED = "The receiver's network did not deliver it. Check the number, or call instead."
_TAKEN = ("sent", "delivered")
_IN_THE_WAY = ("queued", "sending", "held")
Changed = tuple[Shown, Conversation]


async def due(session: AsyncSession, now_us: int, limit: int, *, without: Collection[str] = ()) -> list[Shown]:
    """What may go now, the oldest first: of each conversation the first that has not left, so that they arrive in
    order. ``without`` are numbers of ours that have to wait."""
    earlier = aliased(Text)
    before_it = exists().where(
        earlier.conversation_id == Text.conversation_id, earlier.seq < Text.seq, earlier.state.in_(_IN_THE_WAY)
    )
    query = select(Text).where(_waits(), Text.next_us <= now_us, ~before_it)
    if without:
        query = query.where(Text.did.not_in(list(without)))
    rows = await session.scalars(query.order_by(Text.next_us, Text.id).limit(limit))
    return await repository.with_files(session, list(rows))


async def look_again(work: UnitOfWork, code: str) -> None:
    """Have those that wait for this reason looked at now; not before the moment that somebody chose for them."""
    chosen = or_(Text.scheduled_us.is_(None), Text.scheduled_us <= work.at_us)
    again = update(Text).where(_waits(), Text.code == code, Text.next_us > work.at_us, chosen)
    await work.session.execute(again.values(next_us=work.at_us))


async def next_due(session: AsyncSession) -> int | None:
    """When the next one wants to be looked at, in the way or not."""
    return await session.scalar(select(Text.next_us).where(_waits()).order_by(Text.next_us).limit(1))


async def waiting(session: AsyncSession, transport_id: str) -> int:
    """How many were tried with this transport and wait for it."""
    query = select(Text.id).where(_waits(), Text.transport_id == transport_id).limit(1000)
    return len(list(await session.scalars(query)))


async def lease(work: UnitOfWork, text_id: str, worker: str, transport_id: str, campaign_id: str | None) -> bool:
    """Take it in hand; False where somebody else did, or it was taken back."""
    taking = update(Text).where(Text.id == text_id, _waits())
    taking = taking.values(
        state="sending",
        state_us=work.at_us,
        updated_us=work.at_us,
        tries=Text.tries + 1,
        leased_by=worker,
        leased_until_us=work.at_us + LEASE_US,
        next_us=None,
        code=None,
        reason=None,
        transport_id=transport_id,
        campaign_id=campaign_id,
    )
    return (await work.session.execute(taking.returning(Text.id))).first() is not None


async def put_off(
    work: UnitOfWork, text_id: str, state: str, until_us: int, code: str | None, reason: str | None
) -> Changed | None:
    """It waits on; None where nothing that people see is another."""
    row = await _row(work.session, text_id)
    if row is None or row.state == "canceled":
        return None
    same = (row.state, row.code, row.reason) == (state, code, reason)
    row.next_us, row.leased_by, row.leased_until_us = until_us, None, None
    if same:
        await work.flush()
        return None
    return await _moved(work, row, state, code, reason)


async def fail(work: UnitOfWork, text_id: str, code: str, reason: str, state: str = "failed") -> Changed | None:
    """It is not sent, or nobody knows (``state`` unknown): why stands in it."""
    row = await _row(work.session, text_id)
    return await _moved(work, row, state, code, reason) if row is not None else None


async def sent(work: UnitOfWork, text_id: str, provider_id: str, part_ids: Sequence[str] = ()) -> Changed | None:
    """The other side has it; reports that came before this are taken now."""
    row = await _row(work.session, text_id)
    if row is None or row.transport_id is None or not may(row.state, "sent"):
        return None
    row.provider_id, row.sent_us = provider_id, work.at_us
    names = list(dict.fromkeys([provider_id, *part_ids] if part_ids else [provider_id]))
    for name in filter(None, names):
        await work.session.merge(
            TextPart(transport_id=row.transport_id, provider_id=name, text_id=row.id, delivered_us=None)
        )
    changed = await _moved(work, row, "sent")
    for early in await _early(work, row.transport_id, names):
        found = await report(
            work, row.transport_id, early.provider_id, "", early.state, early.code, early.sentence, early.at_us
        )
        changed = found or changed
    return changed


async def abandoned(work: UnitOfWork, worker: str) -> list[Shown]:
    """Texts in hand of this worker, now or in an earlier run, and those of others whose lease is over."""
    query = select(Text).where(Text.state == "sending")
    query = query.where(or_(Text.leased_until_us < work.at_us, Text.leased_by == worker))
    return [repository.to_text(row) for row in await work.session.scalars(query)]


# -- reports ---------------------------------------------------------------------------------------


async def report(
    work: UnitOfWork,
    transport_id: str,
    provider_id: str,
    message_id: str,
    state: str,
    code: str,
    sentence: str,
    at_us: int,
) -> Changed | None:
    """What the other side says became of a text; None where nothing is another by it. A report of a text that is not
    known is kept for a day: it may be of one whose sending is not noted yet."""
    row = await _reported(work.session, transport_id, provider_id, message_id)
    if row is None or (row.state == "sending" and not message_id):
        await _keep(work, transport_id, provider_id, state, code, sentence, at_us)
        return None
    if not may(row.state, state):
        return None
    if state == "failed":
        return await _moved(work, row, "failed", code or "not_delivered", sentence or _NOT_DELIVERED)
    if state == "delivered" and await _all_delivered(work, row, provider_id, at_us):
        row.delivered_us = at_us
        return await _moved(work, row, "delivered")
    return await _moved(work, row, "sent")


async def _reported(session: AsyncSession, transport_id: str, provider_id: str, message_id: str) -> Text | None:
    if message_id:
        row = await _row(session, message_id)
        return row if row is not None and row.transport_id == transport_id else None
    part = await session.get(TextPart, (transport_id, provider_id)) if provider_id else None
    return await _row(session, part.text_id) if part is not None else None


async def _all_delivered(work: UnitOfWork, row: Text, provider_id: str, at_us: int) -> bool:
    """A text of several parts is delivered with its last one, where each is reported by itself."""
    parts = list(await work.session.scalars(select(TextPart).where(TextPart.text_id == row.id)))
    named = next((part for part in parts if part.provider_id == provider_id), None)
    if named is None:
        return True
    named.delivered_us = at_us
    return all(part.delivered_us is not None for part in parts)


async def _keep(
    work: UnitOfWork, transport_id: str, provider_id: str, state: str, code: str, sentence: str, at_us: int
) -> None:
    if not provider_id:
        return
    await work.session.execute(delete(EarlyReport).where(EarlyReport.at_us < work.at_us - EARLY_KEPT_US))
    await work.session.merge(
        EarlyReport(
            transport_id=transport_id, provider_id=provider_id, state=state, code=code, sentence=sentence, at_us=at_us
        )
    )


async def _early(work: UnitOfWork, transport_id: str, names: Sequence[str]) -> list[EarlyReport]:
    query = select(EarlyReport).where(EarlyReport.transport_id == transport_id, EarlyReport.provider_id.in_(names))
    found = list(await work.session.scalars(query.order_by(EarlyReport.at_us)))
    for each in found:
        await work.session.delete(each)
    await work.flush()
    return found


# -- one text --------------------------------------------------------------------------------------


def _waits() -> ColumnElement[bool]:
    return Text.state.in_(WAITING)


async def _row(session: AsyncSession, text_id: str) -> Text | None:
    return await session.get(Text, text_id, populate_existing=True, with_for_update=True)


async def _charge(work: UnitOfWork, row: Text) -> None:
    """Its carrier has taken it: it costs what it costs now, once."""
    media = bool(await work.session.scalar(select(exists().where(Attachment.text_id == row.id))))
    given: dict[str, Any] = {"to": row.customer_number, "segments": max(row.segments, 1), "user_id": row.user_id}
    charge = await pricing.charge_text(work, row.id, **given, media=media, trunk_id=row.transport_id)
    if charge is not None:
        row.price_micros, row.currency = charge.amount_micros, charge.currency


async def _moved(
    work: UnitOfWork, row: Text, state: str, code: str | None = None, reason: str | None = None
) -> Changed | None:
    """Into another state, with why; a move that there is not (a report that comes late) leaves it as it is."""
    if not may(row.state, state):
        return None
    if state in _TAKEN and row.state not in _TAKEN:
        await _charge(work, row)
    row.state, row.state_us, row.updated_us, row.code, row.reason = state, work.at_us, work.at_us, code, reason
    if state not in WAITING:
        row.next_us = row.leased_by = row.leased_until_us = None
    await work.flush()
    return await texts.changed(work, row)
