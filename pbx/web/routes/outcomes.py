"""Outcomes of calls: everybody chooses from them, admins define them (S2)."""

from __future__ import annotations

from typing import Any

from crm.services import outcomes
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.wrapup import NewOutcome, OutcomeChange, OutcomeView

table = Table("outcomes")


@table.route("GET", "/outcomes", right=Right.REP, scope="calls:read", answer=Listed[OutcomeView])  # type: ignore[valid-type]
async def list_outcomes(ctx: Ctx) -> Any:
    """All outcomes, in the order in which they are offered."""
    async with ctx.engine.store.read() as session:
        return {"items": await outcomes.list_all(session)}


@table.route(
    "POST", "/outcomes", right=Right.ADMIN, scope="admin:write", answer=OutcomeView, status=201, errors=(404, 409, 422)
)
async def add_outcome(ctx: Ctx, body: NewOutcome) -> Any:
    """Add an outcome."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await outcomes.add(work, body.given())


@table.route("GET", "/outcomes/{outcome}", right=Right.REP, scope="calls:read", answer=OutcomeView, errors=(404,))
async def show_outcome(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await outcomes.show(session, ctx.path("outcome"))


@table.route(
    "PATCH", "/outcomes/{outcome}", right=Right.ADMIN, scope="admin:write", answer=OutcomeView, errors=(404, 409, 422)
)
async def change_outcome(ctx: Ctx, body: OutcomeChange) -> Any:
    """Change an outcome; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await outcomes.change(work, ctx.path("outcome"), body.given())


@table.route("DELETE", "/outcomes/{outcome}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_outcome(ctx: Ctx) -> None:
    """Remove an outcome; summaries that have it keep its name."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await outcomes.remove(work, ctx.path("outcome"))
