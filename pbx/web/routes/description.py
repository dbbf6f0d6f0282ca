"""The API's own description."""

from __future__ import annotations

from aiohttp import web

from pbx.web import openapi, replies
from pbx.web.context import Ctx
from pbx.web.declare import ROUTES, Right, Table

table = Table("description")
_DOCUMENT: web.AppKey[bytes] = web.AppKey("openapi")


def prepare(app: web.Application) -> None:
    """Made once, when every route is known."""
    app[_DOCUMENT] = replies.encode(openapi.document(app[ROUTES].values()))


@table.route("GET", "/openapi.json", right=Right.PUBLIC, scope=None, raw="application/json")
async def describe(ctx: Ctx) -> web.Response:
    """This document."""
    return web.Response(body=ctx.request.app[_DOCUMENT], content_type="application/json")
