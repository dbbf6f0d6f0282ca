"""Your messages for mailboxes, and leaving one (L2)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.services import voicemail_drops
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.routes.greeting import sound_sent
from pbx.web.sound import Sound, serve
from pbx.web.wire.base import Listed
from pbx.web.wire.call_lists import DropName, DropOn, DropQuery, DropView
from pbx.web.wire.calls import CallView

table = Table("lists")


@table.route("GET", "/me/drops", right=Right.REP, scope="calls:read", answer=Listed[DropView])  # type: ignore[valid-type]
async def list_drops(ctx: Ctx) -> Any:
    """Your messages, the oldest first."""
    async with ctx.engine.store.read() as session:
        return {"items": await voicemail_drops.list_all(session, ctx.who.id)}


@table.route(
    "POST",
    "/me/drops",
    right=Right.REP,
    scope="calls:write",
    answer=DropView,
    status=201,
    errors=(413, 422),
    takes="audio/*",
)
async def record_drop(ctx: Ctx, query: DropQuery) -> Any:
    """A new message: a sound of 60 seconds and 3 MB at most, as WAV, FLAC, MP3 or Ogg."""
    return await ctx.engine.drops.keep(ctx.actor, ctx.who.id, query.name, await sound_sent(ctx))


@table.route("PATCH", "/me/drops/{drop}", right=Right.REP, scope="calls:write", answer=DropView, errors=(404, 422))
async def rename_drop(ctx: Ctx, body: DropName) -> Any:
    """Call it something else."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await voicemail_drops.rename(work, ctx.path("drop"), ctx.who.id, body.name)


@table.route("DELETE", "/me/drops/{drop}", right=Right.REP, scope="calls:write", status=204, errors=(404,))
async def remove_drop(ctx: Ctx) -> None:
    """Remove a message. Where it plays just now it is heard to its end."""
    await ctx.engine.drops.remove(ctx.actor, ctx.who.id, ctx.path("drop"))


@table.route("GET", "/me/drops/{drop}/sound", right=Right.REP, scope="calls:read", raw="audio/*", errors=(404, 416))
async def hear_drop(ctx: Ctx) -> web.StreamResponse:
    """As mailboxes get it."""
    path = await ctx.engine.drops.path(ctx.who.id, ctx.path("drop"))
    return await serve(ctx.request, path.parent, Sound(path.name, path.stem, "wav", "message.wav"))


@table.route(
    "POST", "/calls/{call}/drop", right=Right.REP, scope="calls:write", answer=CallView, errors=(403, 404, 409)
)
async def leave_message(ctx: Ctx, body: DropOn) -> Any:
    """Leave this message in the mailbox that has answered: you are out of the call at once, the message plays on, and
    the call ends with it. In a call of a list the next entry follows."""
    found = await call_log.find(ctx, ctx.path("call"))
    call_log.check_may_control(ctx, found)
    sound = await ctx.engine.drops.path(ctx.who.id, body.drop_id)
    ctx.engine.control.drop(ctx.path("call"), body.drop_id, str(sound), ctx.who.id)
    return call_log.row((await call_log.find(ctx, ctx.path("call"))).view)
