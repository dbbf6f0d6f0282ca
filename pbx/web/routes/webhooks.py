"""Webhooks: who is told of what, what was delivered, and sending it again (A5).

What a token may not read it may not have sent to some address either: for a webhook it needs the scopes of all that the
webhook is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm import webhooks as kinds
from crm.services import webhook_outbox as outbox
from crm.services import webhooks
from crm.web_addresses import Network, read_nets
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.problems import BadRequest
from pbx.web.wire.base import Listed, Paged
from pbx.web.wire.webhooks import (
    DeliveryDetail,
    DeliveryQuery,
    DeliveryView,
    EventView,
    NewWebhook,
    WebhookChange,
    WebhookView,
    WebhookWithSecret,
)

table = Table("webhooks")


@table.route("GET", "/webhook-events", right=Right.ADMIN, scope="admin:read", answer=Listed[EventView])
async def list_webhook_events(ctx: Ctx) -> Any:
    """What a webhook can be told of."""
    return {"items": [{"type": each, "scope": scope} for each, scope in kinds.EVENTS.items()]}


@table.route("GET", "/webhooks", right=Right.ADMIN, scope="admin:read", answer=Listed[WebhookView])  # type: ignore[valid-type]
async def list_webhooks(ctx: Ctx) -> Any:
    """All, oldest first, without their secrets."""
    async with ctx.engine.store.read() as session:
        return {"items": await webhooks.list_all(session)}


@table.route(
    "POST",
    "/webhooks",
    right=Right.ADMIN,
    scope="admin:write",
    answer=WebhookWithSecret,
    status=201,
    errors=(409, 422),
)
async def add_webhook(ctx: Ctx, body: NewWebhook) -> Any:
    """Add a webhook; it is told of what happens from now on. The secret is shown this once."""
    _check_scopes(ctx, body.events)
    async with ctx.engine.store.write(ctx.actor) as work:
        made = await webhooks.add(work, body.given(), _nets(ctx))
    return {"webhook": made.webhook, "secret": made.secret}


@table.route("GET", "/webhooks/{webhook}", right=Right.ADMIN, scope="admin:read", answer=WebhookView, errors=(404,))
async def show_webhook(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await webhooks.show(session, ctx.path("webhook"))


@table.route(
    "PATCH", "/webhooks/{webhook}", right=Right.ADMIN, scope="admin:write", answer=WebhookView, errors=(404, 422)
)
async def change_webhook(ctx: Ctx, body: WebhookChange) -> Any:
    """Change a webhook; what waits for it goes to the new address."""
    async with ctx.engine.store.write(ctx.actor) as work:
        before = await webhooks.show(work.session, ctx.path("webhook"))
        _check_scopes(ctx, [*before.events, *body.events])
        changed = await webhooks.change(work, before.id, body.given(), _nets(ctx))
    ctx.engine.webhooks.due()
    return changed


@table.route("DELETE", "/webhooks/{webhook}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def remove_webhook(ctx: Ctx) -> None:
    """Remove a webhook with its deliveries; what waits for it is not sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await webhooks.remove(work, ctx.path("webhook"))


@table.route(
    "POST",
    "/webhooks/{webhook}/secret",
    right=Right.ADMIN,
    scope="admin:write",
    answer=WebhookWithSecret,
    errors=(404,),
)
async def rotate_webhook_secret(ctx: Ctx) -> Any:
    """Make another secret, shown this once. The one before it signs beside it for a day."""
    async with ctx.engine.store.write(ctx.actor) as work:
        _check_scopes(ctx, (await webhooks.show(work.session, ctx.path("webhook"))).events)
        made = await webhooks.rotate(work, ctx.path("webhook"))
    return {"webhook": made.webhook, "secret": made.secret}


@table.route(
    "POST",
    "/webhooks/{webhook}/test",
    right=Right.ADMIN,
    scope="admin:write",
    answer=WebhookView,
    status=202,
    errors=(404, 409),
)
async def test_webhook(ctx: Ctx) -> Any:
    """Send it a `ping`, at once; what came of it is the newest of its deliveries."""
    async with ctx.engine.store.write(ctx.actor) as work:
        found = await webhooks.ping(work, ctx.path("webhook"))
    ctx.engine.webhooks.due()
    return found


@table.route(
    "GET",
    "/webhook-deliveries",
    right=Right.ADMIN,
    scope="admin:read",
    answer=Paged[DeliveryView],  # type: ignore[valid-type]
    errors=(422,),
)
async def list_webhook_deliveries(ctx: Ctx, query: DeliveryQuery) -> Any:
    """What was, or is to be, delivered, newest first. Kept for two weeks."""
    async with ctx.engine.store.read() as session:
        return await outbox.page(session, query.webhook, state=query.state, cursor=query.cursor, limit=query.limit)


@table.route(
    "GET",
    "/webhook-deliveries/{delivery}",
    right=Right.ADMIN,
    scope="admin:read",
    answer=DeliveryDetail,
    errors=(404,),
)
async def show_webhook_delivery(ctx: Ctx) -> Any:
    """One delivery with what is sent."""
    async with ctx.engine.store.read() as session:
        delivery = await outbox.show(session, ctx.path("delivery"))
        _check_scopes(ctx, [delivery.type])
        return {"delivery": delivery, "body": await outbox.body(session, delivery.id)}


@table.route(
    "POST",
    "/webhook-deliveries/{delivery}/redeliver",
    right=Right.ADMIN,
    scope="admin:write",
    answer=DeliveryView,
    status=202,
    errors=(404,),
)
async def redeliver_webhook(ctx: Ctx) -> Any:
    """Send it once more, at once, with the same id."""
    async with ctx.engine.store.write(ctx.actor) as work:
        found = await outbox.redeliver(work, ctx.path("delivery"))
    ctx.engine.webhooks.due()
    return found


def _nets(ctx: Ctx) -> tuple[Network, ...]:
    return read_nets(ctx.engine.config.outgoing_nets)


def _check_scopes(ctx: Ctx, events: Iterable[str]) -> None:
    token = ctx.who.token
    wanted = {kinds.EVENTS[each] for each in events if each in kinds.EVENTS}
    missing = sorted(wanted - set(token.scopes)) if token is not None else []
    if missing:
        raise BadRequest(403, "scope_missing", f"This token lacks the scope “{missing[0]}”. Make one that has it.")
