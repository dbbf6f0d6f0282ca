"""Health, readiness, metrics: for the operator's own tools, from this machine or with an admin's token."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm import directory
from crm.errors import Refused
from pbx.web import replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table

table = Table("health", prefix="")


@table.route("GET", "/healthz", right=Right.PUBLIC, scope=None)
async def healthz(ctx: Ctx) -> dict[str, str]:
    """The process lives and serves."""
    return {"status": "ok"}


@table.route("GET", "/readyz", right=Right.OPERATOR, scope="admin:read", errors=(503,))
async def readyz(ctx: Ctx) -> web.Response:
    """Whether calls are taken, and each part of it. 503 while not."""
    state: dict[str, Any] = {**ctx.engine.ready()}
    state["store"] = await _store_answers(ctx)
    state["ready"] = bool(state.get("ready")) and state["store"]
    return replies.json(state, 200 if state["ready"] else 503, home=ctx.home, language=ctx.reader)


async def _store_answers(ctx: Ctx) -> bool:
    try:
        async with ctx.engine.store.read() as session:
            await directory.current_revision(session)
    except Refused:
        return False
    return True


@table.route("GET", "/metrics", right=Right.OPERATOR, scope="admin:read", raw="text/plain")
async def metrics(ctx: Ctx) -> web.Response:
    """Figures for Prometheus."""
    return web.Response(
        body=ctx.engine.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )
