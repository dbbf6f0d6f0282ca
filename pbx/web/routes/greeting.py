"""The user's own voicemail greeting (I7)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.errors import Refused
from crm.services import users
from pbx.services.greetings import LARGEST
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.problems import BadRequest
from pbx.web.sound import Sound, serve
from pbx.web.wire.people_of_ours import UserView

table = Table("session")


@table.route(
    "PUT", "/me/greeting", right=Right.REP, scope="calls:write", answer=UserView, errors=(413, 422), takes="audio/*"
)
async def record_greeting(ctx: Ctx) -> Any:
    """Your own voicemail greeting: a sound of 60 seconds and 3 MB at most, as WAV, FLAC, MP3 or Ogg. The next caller
    hears it."""
    changed = await ctx.engine.greetings.keep(ctx.actor, ctx.who.id, await sound_sent(ctx))
    ctx.accounts_changed()
    return changed


@table.route("GET", "/me/greeting", right=Right.REP, scope="calls:read", raw="audio/*", errors=(404, 416))
async def hear_greeting(ctx: Ctx) -> web.StreamResponse:
    """What callers hear, where you have recorded it."""
    async with ctx.engine.store.read() as session:
        user = await users.show(session, ctx.who.id)
    path = ctx.engine.greetings.path(user)
    if path is None:
        raise Refused("no_greeting", "You have recorded no greeting; callers hear the default.", status=404)
    sound = Sound(path.name, path.stem, "wav", "greeting.wav")  # each recording has a name of its own
    return await serve(ctx.request, path.parent, sound)


@table.route("DELETE", "/me/greeting", right=Right.REP, scope="calls:write", status=204)
async def remove_greeting(ctx: Ctx) -> None:
    """Back to the default greeting."""
    await ctx.engine.greetings.remove(ctx.actor, ctx.who.id)
    ctx.accounts_changed()


async def sound_sent(ctx: Ctx) -> bytes:
    """The body, which may be larger than that of other requests."""
    content = bytearray()
    async for chunk in ctx.request.content.iter_chunked(65_536):
        content += chunk
        if len(content) > LARGEST:
            raise BadRequest(413, "too_large", "This sound is too large. Record it shorter, or at a lower rate.")
    if not content:
        raise Refused("missing", "There is no sound here. Send it as the request's body.")
    return bytes(content)
