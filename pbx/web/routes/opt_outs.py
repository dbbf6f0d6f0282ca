"""Numbers that want no texts (T7)."""

from __future__ import annotations

from typing import Any

from crm.services import opt_outs
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Paged, PageQuery
from pbx.web.wire.texts import NewOptOut, OptOutView

table = Table("opt-outs")


@table.route("GET", "/opt-outs", right=Right.MANAGER, scope="texts:read", answer=Paged[OptOutView], errors=(422,))  # type: ignore[valid-type]
async def list_opt_outs(ctx: Ctx, query: PageQuery) -> Any:
    """Who wants no texts, newest first."""
    async with ctx.engine.store.read() as session:
        return await opt_outs.list_all(session, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST", "/opt-outs", right=Right.REP, scope="texts:write", answer=OptOutView, status=201, errors=(403, 422)
)
async def add_opt_out(ctx: Ctx, body: NewOptOut) -> Any:
    """Somebody said that they want no texts: it holds for everybody's, from now on."""
    return await ctx.engine.texting.texts.opt_out(ctx.actor, body.number, body.source, body.detail)


@table.route("GET", "/opt-outs/{number}", right=Right.REP, scope="texts:read", answer=OptOutView, errors=(404,))
async def show_opt_out(ctx: Ctx) -> Any:
    """Whether, since when and why this number wants no texts."""
    async with ctx.engine.store.read() as session:
        return await opt_outs.show(session, ctx.path("number"))


@table.route("DELETE", "/opt-outs/{number}", right=Right.MANAGER, scope="texts:write", status=204, errors=(404,))
async def remove_opt_out(ctx: Ctx) -> None:
    """They want texts again."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await opt_outs.remove(work, ctx.path("number"))
