"""Webhooks: addresses of others that are told what happens here (A5).

A secret is shown once. When it is changed, the one before it signs beside it for a day, so that the receiver can follow
without losing anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, web_addresses, webhooks
from crm.errors import Refused, conflict, not_found
from crm.models.webhooks import Webhook as Row
from crm.models.webhooks import WebhookDelivery, WebhookEvent, WebhookWant
from crm.records import as_dict
from crm.unit_of_work import UnitOfWork
from crm.web_addresses import Network
from crm.webhooks import Webhook

MOST = 50
OVERLAP_US = 24 * 3_600_000_000
LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """``secret`` proves to the receiver that it is us; it is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


async def add(work: UnitOfWork, values: Mapping[str, Any], nets: Sequence[Network] = ()) -> NewWebhook:
    """``url`` and ``events`` are needed. ``nets`` are networks of the house that it may lead into."""
    given = fields.read(values, _checks(nets), ("url", "events"))
    if (await work.session.scalar(select(func.count()).select_from(Row)) or 0) >= MOST:
        raise conflict("too_many", f"There are {MOST} webhooks already. Remove one that is not needed any more.")
    secret = webhooks.new_secret()
    row = Row(
        id=ids.new(ids.WEBHOOK, work.at_us),
        url=given["url"],
        description=given.get("description", ""),
        enabled=given.get("enabled", True),
        secret=secret,
        failures=0,
        next_us=0,
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    await _set_events(work, row.id, given["events"])
    made = await _shown(work.session, row)
    work.record("webhook.add", row.id, None, _written(made), touches_calls=False)
    return NewWebhook(made, secret)


async def list_all(session: AsyncSession) -> list[Webhook]:
    """Oldest first, without their secrets."""
    return [await _shown(session, row) for row in await session.scalars(select(Row).order_by(Row.created_us, Row.id))]


async def show(session: AsyncSession, webhook_id: str) -> Webhook:
    return await _shown(session, await _find(session, webhook_id))


async def change(work: UnitOfWork, webhook_id: str, values: Mapping[str, Any], nets: Sequence[Network] = ()) -> Webhook:
    """What waits goes to the new address. One that is switched off keeps what happens until it is on again."""
    row = await _find(work.session, webhook_id)
    before = await _shown(work.session, row)
    given = fields.read(values, _checks(nets))
    row.url = given.get("url", row.url)
    row.description = given.get("description", row.description)
    row.enabled = given.get("enabled", row.enabled)
    row.updated_us = work.at_us
    row.next_us = 0  # it may be mended now
    if "events" in given:
        await _set_events(work, row.id, given["events"])
    await work.flush()
    after = await _shown(work.session, row)
    work.record("webhook.change", row.id, _written(before), _written(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, webhook_id: str) -> Webhook:
    """What waits for it is not sent any more."""
    row = await _find(work.session, webhook_id)
    before = await _shown(work.session, row)
    await work.session.delete(row)
    await work.flush()
    await work.session.execute(delete(WebhookEvent).where(WebhookEvent.webhook_id == before.id))
    work.record("webhook.remove", before.id, _written(before), None, touches_calls=False)
    return before


async def rotate(work: UnitOfWork, webhook_id: str) -> NewWebhook:
    """Another secret; the one before it signs beside it for a day."""
    row = await _find(work.session, webhook_id)
    row.old_secret, row.old_until_us = row.secret, work.at_us + OVERLAP_US
    row.secret, row.updated_us = webhooks.new_secret(), work.at_us
    await work.flush()
    made = await _shown(work.session, row)
    work.record("webhook.rotate", row.id, None, {"old_secret_until_us": row.old_until_us}, touches_calls=False)
    return NewWebhook(made, row.secret)


async def ping(work: UnitOfWork, webhook_id: str) -> Webhook:
    """Send it something that means nothing, at once: whether it comes through shows in its deliveries."""
    row = await _find(work.session, webhook_id)
    if not row.enabled:
        raise conflict("paused", "This webhook is paused. Switch it on first.")
    event = WebhookEvent(type=webhooks.PING, object_id=row.id, at_us=work.at_us, webhook_id=row.id)
    work.session.add(event)
    row.next_us = 0
    await work.flush()
    work.record("webhook.test", row.id, touches_calls=False)
    return await _shown(work.session, row)


async def events_of(session: AsyncSession, webhook_id: str) -> Collection[str]:
    """What it wants."""
    return (await show(session, webhook_id)).events


async def _set_events(work: UnitOfWork, webhook_id: str, events: Sequence[str]) -> None:
    await work.session.execute(delete(WebhookWant).where(WebhookWant.webhook_id == webhook_id))
    work.session.add_all([WebhookWant(webhook_id=webhook_id, type=each) for each in events])
    await work.flush()


async def _shown(session: AsyncSession, row: Row) -> Webhook:
    wanted = select(WebhookWant.type).where(WebhookWant.webhook_id == row.id).order_by(WebhookWant.type)
    waiting = select(func.count()).where(WebhookDelivery.webhook_id == row.id, WebhookDelivery.state == "waiting")
    return Webhook(
        id=row.id,
        url=row.url,
        description=row.description,
        events=tuple(await session.scalars(wanted)),
        enabled=row.enabled,
        state="paused" if not row.enabled else "failing" if row.failures else "on",
        waiting=await session.scalar(waiting) or 0,
        failures=row.failures,
        failing_us=row.failing_us,
        delivered_us=row.delivered_us,
        old_secret_until_us=row.old_until_us,
        created_us=row.created_us,
        updated_us=row.updated_us,
    )


def _written(webhook: Webhook) -> dict[str, Any]:
    """For the audit log: what somebody set."""
    row = as_dict(webhook)
    return {name: row[name] for name in ("id", "url", "description", "events", "enabled")}


async def _find(session: AsyncSession, webhook_id: str) -> Row:
    row = await session.get(Row, webhook_id) if isinstance(webhook_id, str) and webhook_id.isprintable() else None
    if row is None:
        raise not_found("webhook", str(webhook_id))
    return row


def _checks(nets: Sequence[Network]) -> dict[str, fields.Check]:
    return {
        "url": lambda value: _url(value, nets),
        "description": fields.text(200, empty=True),
        "events": _events,
        "enabled": fields.boolean,
    }


def _url(value: Any, nets: Sequence[Network]) -> str:
    kept = str(fields.text(LONGEST_URL)(value))
    try:
        web_addresses.check_url(kept, nets)
    except web_addresses.NotAllowed as error:
        raise Refused("bad_address", str(error)) from None
    return kept


def _events(value: Any) -> list[str]:
    found = list(fields.list_of(fields.choice(*webhooks.EVENTS))(value))
    if not found:
        raise Refused("missing", "Choose at least one event.")
    return found
