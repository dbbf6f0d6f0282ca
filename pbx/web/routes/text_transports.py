"""What carries texts: configuration, condition, and the addresses that providers call (T5)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm import text_transports as kinds
from crm.errors import not_found
from crm.services import text_outbox, text_transports
from pbx.services.ports_texts import Webhook
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.texts import Condition, KindView, NewTransport, TransportChange, TransportView

table = Table("text-transports")


@table.route("GET", "/text-transports", right=Right.ADMIN, scope="admin:read", answer=Listed[TransportView])  # type: ignore[valid-type]
async def list_text_transports(ctx: Ctx) -> Any:
    """All, in the order in which they are tried; without their secrets."""
    async with ctx.engine.store.read() as session:
        return {"items": await text_transports.list_all(session)}


@table.route("GET", "/text-transport-kinds", right=Right.ADMIN, scope="admin:read", answer=Listed[KindView])
async def list_text_transport_kinds(ctx: Ctx) -> Any:
    """The kinds of transports, and what each is told."""
    return {"items": [{"kind": kind, "options": _options(kind)} for kind in kinds.KINDS]}


@table.route("GET", "/text-transports/conditions", right=Right.MANAGER, scope="admin:read", answer=Listed[Condition])
async def list_text_transport_conditions(ctx: Ctx) -> Any:
    """Whether each can send now, and why not."""
    found = []
    async with ctx.engine.store.read() as session:
        for row in await text_transports.list_all(session):
            ready, condition = ctx.engine.texting.transports.condition(row.id)
            waiting = await text_outbox.waiting(session, row.id)
            found.append({"id": row.id, "name": row.name, "ready": ready, "condition": condition, "waiting": waiting})
    return {"items": found}


@table.route(
    "POST",
    "/text-transports",
    right=Right.ADMIN,
    scope="admin:write",
    answer=TransportView,
    status=201,
    errors=(404, 409, 422),
)
async def add_text_transport(ctx: Ctx, body: NewTransport) -> Any:
    """Add a transport; it is used at once."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_transports.add(work, body.given())


@table.route(
    "GET",
    "/text-transports/{transport}",
    right=Right.ADMIN,
    scope="admin:read",
    answer=TransportView,
    errors=(404,),
)
async def show_text_transport(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await text_transports.show(session, ctx.path("transport"))


@table.route(
    "PATCH",
    "/text-transports/{transport}",
    right=Right.ADMIN,
    scope="admin:write",
    answer=TransportView,
    errors=(404, 409, 422),
)
async def change_text_transport(ctx: Ctx, body: TransportChange) -> Any:
    """Change a transport; only the fields, options and secrets that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_transports.change(work, ctx.path("transport"), body.given())


@table.route(
    "DELETE", "/text-transports/{transport}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,)
)
async def remove_text_transport(ctx: Ctx) -> None:
    """Remove a transport; what waits goes by another one."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await text_transports.remove(work, ctx.path("transport"))


@table.route(
    "POST", "/text-webhooks/{transport}", right=Right.PUBLIC, scope=None, raw="*/*", takes="*/*", errors=(404,)
)
async def text_webhook(ctx: Ctx) -> web.StreamResponse:
    """What a provider calls: texts that came in, and reports. The transport checks its signature over the raw body."""
    transport = ctx.engine.texting.transports.get(ctx.path("transport"))
    take = getattr(transport, "webhook", None)
    if take is None:
        raise not_found("text transport that is called from outside", ctx.path("transport"))
    request = ctx.request
    reply = await take(
        Webhook(
            request.method,
            str(request.url),
            {name.lower(): value for name, value in request.headers.items()},
            dict(request.query),
            await request.read(),
            request.remote or "",
        )
    )
    return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)


def _options(kind: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": each.description,
            "default": each.default,
            "required": each.required,
            "secret": each.secret,
            "choices": list(each.choices),
        }
        for name, each in kinds.OPTIONS[kind].items()
    ]
