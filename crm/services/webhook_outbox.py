"""The outbox of webhooks: what happened, who is to be told of it, and what came of it (A5, TRUST 9).

What happened was noted in the transaction that wrote it down (triggers). Here it gets its id and its body, once, and a
delivery for each webhook that wants it. A webhook is leased as a whole, so that it is told in order and by one engine
alone; whoever dies in between leaves deliveries that wait, and are sent again with the same id.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, paging
from crm.errors import not_found
from crm.models.webhooks import Webhook, WebhookDelivery, WebhookEvent, WebhookWant
from crm.unit_of_work import Store, UnitOfWork
from crm.webhooks import Batch, Delivery, Happened, Letter, Try

AT_ONCE = 100
LETTERS = 20
LEASE_US = 60_000_000
DAY_US = 24 * 3_600_000_000
GIVE_UP_US = 3 * DAY_US
KEPT_US = 14 * DAY_US
OUTAGE = 3
"""So many failures one after the other are an outage: when it is over, what failed meanwhile is sent at once."""


# -- what happened ---------------------------------------------------------------------------------


async def anything_to_do(store: Store, now_us: int) -> tuple[bool, bool]:
    """Whether something new has happened, and whether some webhook may be called now. Where there are none, it costs a
    look at an empty index and at an empty table."""
    new = "SELECT seq FROM webhook_events WHERE prepared_us IS NULL ORDER BY seq LIMIT 1"
    free = "SELECT id FROM webhooks WHERE enabled AND next_us <= ? LIMIT 1"
    found_new, found_free = await store.rows([(new, ()), (free, (now_us,))])
    return bool(found_new), bool(found_free)


async def happened(session: AsyncSession, now_us: int, limit: int = AT_ONCE) -> list[Happened]:
    """What nobody was told of yet, in order."""
    query = select(WebhookEvent).where(WebhookEvent.prepared_us.is_(None)).order_by(WebhookEvent.seq).limit(limit)
    rows = await session.scalars(query)
    return [Happened(row.seq, row.type, row.object_id, row.at_us or now_us, row.webhook_id) for row in rows]


async def note_happened(work: UnitOfWork, type_: str, object_id: str) -> None:
    """For what no row of its own says, so that no trigger sees it: with the fact, and only where somebody wants it."""
    if await work.session.scalar(select(exists().where(WebhookWant.type == type_))):
        work.session.add(WebhookEvent(type=type_, object_id=object_id, at_us=work.at_us))
        await work.flush()


async def prepare(work: UnitOfWork, event: Happened, name: str, body: str) -> int:
    """From now on it has this id and this body, unless another engine was first. Gives how many are to be told; where
    it is nobody, it goes."""
    mine = (WebhookEvent.seq == event.seq, WebhookEvent.prepared_us.is_(None))
    told = await _wanting(work.session, event)
    if not told:
        await work.session.execute(delete(WebhookEvent).where(*mine))
        return 0
    writing = update(WebhookEvent).where(*mine).values(id=name, body=body, at_us=event.at_us, prepared_us=work.at_us)
    if (await work.session.execute(writing.returning(WebhookEvent.seq))).first() is None:
        return 0
    work.session.add_all([_delivery(work, each, event.seq) for each in told])
    return len(told)


async def _wanting(session: AsyncSession, event: Happened) -> list[str]:
    if event.webhook_id is not None:
        return list(await session.scalars(select(Webhook.id).where(Webhook.id == event.webhook_id)))
    wanted = select(WebhookWant.webhook_id).where(WebhookWant.type == event.type).order_by(WebhookWant.webhook_id)
    return list(await session.scalars(wanted))


def _delivery(work: UnitOfWork, webhook_id: str, seq: int) -> WebhookDelivery:
    return WebhookDelivery(
        id=ids.new(ids.WEBHOOK_DELIVERY, work.at_us),
        webhook_id=webhook_id,
        event_seq=seq,
        state="waiting",
        attempts=0,
        created_us=work.at_us,
        since_us=work.at_us,
        next_us=work.at_us,
    )


# -- sending ---------------------------------------------------------------------------------------


async def is_due(session: AsyncSession, now_us: int, without: Sequence[str]) -> bool:
    """Whether :func:`due` would find something, seen without writing."""
    return (await session.scalar(_callable(now_us, without).limit(1))) is not None


def _callable(now_us: int, without: Sequence[str]) -> Select[Webhook]:
    return select(Webhook).where(
        Webhook.enabled,
        Webhook.next_us <= now_us,
        Webhook.id.not_in(list(without)),
        exists(_waiting(now_us, Webhook.id)),
    )


async def due(work: UnitOfWork, worker: str, without: Sequence[str] = ()) -> list[Batch]:
    """Lease every webhook that something is to be sent to now, and give what. ``without`` are in hand already."""
    now = work.at_us
    free = or_(Webhook.leased_by.is_(None), Webhook.leased_by == worker, Webhook.leased_until_us < now)
    query = _callable(now, without).where(free).order_by(Webhook.id).with_for_update(skip_locked=True)
    rows = list(await work.session.scalars(query))
    for row in rows:
        row.leased_by, row.leased_until_us = worker, now + LEASE_US
    await work.flush()
    return [await _batch(work, row) for row in rows]


def _waiting(now_us: int, webhook_id: object) -> Select[str]:
    mine = (WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.state == "waiting")
    return select(WebhookDelivery.id).where(*mine, WebhookDelivery.next_us <= now_us)


async def _batch(work: UnitOfWork, row: Webhook) -> Batch:
    """In the order in which it happened: what one statement wrote is noted in no certain one. While it fails, one at a
    time: that is enough to see whether it is back."""
    query = (
        select(WebhookDelivery, WebhookEvent.id, WebhookEvent.body)
        .join(WebhookEvent, WebhookEvent.seq == WebhookDelivery.event_seq)
        .where(WebhookDelivery.id.in_(_waiting(work.at_us, row.id)))
        .order_by(WebhookEvent.at_us, WebhookEvent.seq)
        .limit(1 if row.failures else LETTERS)
    )
    found = (await work.session.execute(query)).all()
    letters = [Letter(each.id, name or "", body or "", each.attempts) for each, name, body in found]
    old = (row.old_secret,) if row.old_secret and (row.old_until_us or 0) > work.at_us else ()
    return Batch(row.id, row.url, (row.secret, *old), row.failures, tuple(letters))


async def note(work: UnitOfWork, webhook_id: str, worker: str, tries: Sequence[Try], *, done: bool) -> Webhook | None:
    """What came of it; ``done``: the lease is given back. None where the webhook was removed meanwhile."""
    for each in tries:
        await work.session.execute(
            update(WebhookDelivery).where(WebhookDelivery.id == each.delivery_id).values(**_noted(each))
        )
    row = await work.session.get(Webhook, webhook_id, populate_existing=True, with_for_update=True)
    if row is None:
        return None
    for each in tries:
        await _felt(work, row, each)
    if row.leased_by == worker:
        row.leased_until_us = None if done else work.at_us + LEASE_US
        row.leased_by = None if done else worker
    await work.flush()
    return row


def _noted(each: Try) -> dict[str, object]:
    return {
        "state": "waiting" if each.error else "delivered",
        "attempts": WebhookDelivery.attempts + 1,
        "tried_us": each.at_us,
        "took_ms": each.took_ms,
        "status": each.status,
        "error": each.error,
        "next_us": each.again_us,
    }


async def _felt(work: UnitOfWork, row: Webhook, each: Try) -> None:
    """What it says of the webhook itself."""
    if each.error and not each.alone:
        row.failures += 1
        row.failing_us = row.failing_us or each.at_us
        row.next_us = each.webhook_us
        return
    if each.error is None:
        row.delivered_us = each.at_us
    if row.failures >= OUTAGE:
        waits = update(WebhookDelivery).where(
            WebhookDelivery.webhook_id == row.id,
            WebhookDelivery.state == "waiting",
            WebhookDelivery.id != each.delivery_id,
            WebhookDelivery.next_us > work.at_us,
        )
        await work.session.execute(waits.values(next_us=work.at_us))
    row.failures, row.failing_us, row.next_us = 0, None, 0


# -- what is over ----------------------------------------------------------------------------------


async def give_up(work: UnitOfWork) -> None:
    """What has waited for too long is marked, and not tried again by itself."""
    old = (WebhookDelivery.state == "waiting", WebhookDelivery.since_us < work.at_us - GIVE_UP_US)
    await work.session.execute(update(WebhookDelivery).where(*old).values(state="failed", error="given_up"))


async def given_up(session: AsyncSession, now_us: int) -> dict[str, int]:
    """How many of each webhook were given up within the last day, and not sent again since."""
    lately = WebhookDelivery.since_us > now_us - GIVE_UP_US - DAY_US
    query = select(WebhookDelivery.webhook_id, func.count()).where(WebhookDelivery.state == "failed", lately)
    return {name: count for name, count in await session.execute(query.group_by(WebhookDelivery.webhook_id))}


async def addresses(session: AsyncSession) -> dict[str, str]:
    """Of every webhook that is switched on."""
    return {name: url for name, url in (await session.execute(select(Webhook.id, Webhook.url).where(Webhook.enabled)))}


async def forget(work: UnitOfWork) -> None:
    """Events of long ago, with their deliveries."""
    old = WebhookEvent.prepared_us < work.at_us - KEPT_US
    waits = select(WebhookDelivery.id).where(
        WebhookDelivery.event_seq == WebhookEvent.seq, WebhookDelivery.state == "waiting"
    )
    await work.session.execute(delete(WebhookEvent).where(old, ~exists(waits)))


async def forget_person(session: AsyncSession, traces: Sequence[str]) -> None:
    """Events that hold one of these ids or numbers, whatever they are about."""
    holds = [WebhookEvent.body.contains(each, autoescape=True) for each in traces]
    await session.execute(delete(WebhookEvent).where(or_(WebhookEvent.object_id.in_(traces), *holds)))


# -- looked at by people ---------------------------------------------------------------------------


async def page(
    session: AsyncSession,
    webhook_id: str | None = None,
    *,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[Delivery]:
    """Newest first."""
    query = _shown().order_by(WebhookDelivery.created_us.desc(), WebhookDelivery.id.desc())
    if webhook_id is not None:
        query = query.where(WebhookDelivery.webhook_id == webhook_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if (after := paging.decode(cursor)) is not None:
        query = query.where(tuple_(WebhookDelivery.created_us, WebhookDelivery.id) < tuple_(*after))
    rows = (await session.execute(query.limit(paging.checked_limit(limit) + 1))).all()
    return paging.page_of(
        [_delivered(each, name, type_, about) for each, name, type_, about in rows],
        limit,
        lambda each: (each.created_us, each.id),
    )


async def show(session: AsyncSession, delivery_id: str) -> Delivery:
    row = (await session.execute(_shown().where(WebhookDelivery.id == delivery_id))).first()
    if row is None:
        raise not_found("delivery of a webhook", delivery_id)
    delivery, name, type_, about = row
    return _delivered(delivery, name, type_, about)


async def body(session: AsyncSession, delivery_id: str) -> str:
    """What is sent, to the letter."""
    of_it = select(WebhookDelivery.event_seq).where(WebhookDelivery.id == delivery_id).scalar_subquery()
    return await session.scalar(select(WebhookEvent.body).where(WebhookEvent.seq == of_it)) or ""


async def redeliver(work: UnitOfWork, delivery_id: str) -> Delivery:
    """Send it once more, at once, with the id that it has: whoever took it already knows it by that."""
    found = await show(work.session, delivery_id)
    again = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    await work.session.execute(again.values(state="waiting", since_us=work.at_us, next_us=work.at_us))
    await work.session.execute(update(Webhook).where(Webhook.id == found.webhook_id).values(next_us=0))
    work.record("webhook.redeliver", found.webhook_id, None, {"delivery": delivery_id}, touches_calls=False)
    return await show(work.session, delivery_id)


def _shown() -> Select[WebhookDelivery, str | None, str, str]:
    columns = (WebhookDelivery, WebhookEvent.id, WebhookEvent.type, WebhookEvent.object_id)
    query = select(*columns).join(WebhookEvent, WebhookEvent.seq == WebhookDelivery.event_seq)
    return query.execution_options(populate_existing=True)


def _delivered(row: WebhookDelivery, name: str | None, type_: str, object_id: str) -> Delivery:
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        event_id=name or "",
        type=type_,
        object_id=object_id,
        state=row.state,
        attempts=row.attempts,
        status=row.status,
        error=row.error,
        took_ms=row.took_ms,
        created_us=row.created_us,
        tried_us=row.tried_us,
        next_us=row.next_us if row.state == "waiting" else None,
    )
