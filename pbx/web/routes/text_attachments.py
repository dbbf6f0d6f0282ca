"""Pictures and files of texts."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from crm.errors import Refused, not_found
from crm.services import text_attachments
from crm.texts import Attachment
from pbx.services.text_files import LARGEST
from pbx.web import uploads
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.problems import BadRequest
from pbx.web.wire.base import Query
from pbx.web.wire.texts import AttachmentView

table = Table("texts")
_SHOWN = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""What browsers show in place; anything else is a download, as it might be a page."""


class Named(Query):
    name: str = "file"


class Signed(Query):
    until: int
    signature: str = Field(max_length=100)


@table.route(
    "POST",
    "/text-attachments",
    right=Right.REP,
    scope="texts:write",
    answer=AttachmentView,
    status=201,
    errors=(413, 422),
    takes="*/*",
)
async def upload_attachment(ctx: Ctx, query: Named) -> Any:
    """A file of 5 MB at most, to be sent with a text: its content is the body, its kind the Content-Type.
    What reps may upload within a day is a setting."""
    kind = ctx.request.content_type
    async with uploads.quota(ctx) as check:
        content = await _content(ctx, check)
        return await ctx.engine.texting.files.upload(ctx.who.author, ctx.who.id, content, kind, query.name)


async def _content(ctx: Ctx, check: uploads.Check) -> bytes:
    content = bytearray()
    async for chunk in ctx.request.content.iter_chunked(65_536):
        content += chunk
        if len(content) > LARGEST:
            raise BadRequest(413, "too_large", "This file is too large for a text: 5 MB at most. Send a smaller one.")
        check(len(content))
    if not content:
        raise Refused("missing", "There is no file here. Send it as the request's body.")
    return bytes(content)


@table.route("GET", "/text-attachments/{attachment}", right=Right.REP, scope="texts:read", raw="*/*", errors=(403, 404))
async def show_attachment(ctx: Ctx) -> web.StreamResponse:
    """The file itself."""
    async with ctx.engine.store.read() as session:
        found = await text_attachments.show(session, ctx.path("attachment"))
        owner = await text_attachments.owner(session, found)
    if owner != ctx.who.id and not ctx.who.sees_all:
        raise forbidden("This file is part of somebody else's conversation.")
    return _file(ctx, found)


@table.route(
    "GET", "/text-media/{transport}/{attachment}", right=Right.PUBLIC, scope=None, raw="*/*", errors=(404, 422)
)
async def show_to_provider(ctx: Ctx, query: Signed) -> web.StreamResponse:
    """A file of a text that goes out, for the provider that carries it: the address is signed and holds for a day."""
    addresses = getattr(ctx.engine.texting.transports.get(ctx.path("transport")), "media", None)
    if addresses is None or not addresses.genuine(ctx.path("attachment"), query.until, query.signature):
        raise not_found("file at this address", ctx.path("attachment"))
    async with ctx.engine.store.read() as session:
        return _file(ctx, await text_attachments.show(session, ctx.path("attachment")))


def _file(ctx: Ctx, found: Attachment) -> web.StreamResponse:
    headers = {
        "Content-Type": found.content_type,
        "Content-Disposition": "inline" if found.content_type in _SHOWN else "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400",
    }
    return web.FileResponse(ctx.engine.texting.files.path(found), headers=headers)
