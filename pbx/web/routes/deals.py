"""Deals: what is being sold to whom."""

from __future__ import annotations

from typing import Any

from crm.services import deals
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Paged
from pbx.web.wire.people import DealChange, DealQuery, DealView, NewDeal

table = Table("deals")


@table.route("GET", "/deals", right=Right.REP, scope="people:read", answer=Paged[DealView])  # type: ignore[valid-type]
async def list_deals(ctx: Ctx, query: DealQuery) -> Any:
    """Deals, newest first."""
    async with ctx.engine.store.read() as session:
        return await deals.page(
            session,
            record_id=query.record_id,
            company_id=query.company_id,
            owner_id=query.owner_id,
            status=query.status,
            cursor=query.cursor,
            limit=query.limit,
        )


@table.route("POST", "/deals", right=Right.REP, scope="people:write", answer=DealView, status=201, errors=(409, 422))
async def add_deal(ctx: Ctx, body: NewDeal) -> Any:
    """Add a deal."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await deals.add(work, body.given())


@table.route("GET", "/deals/{deal}", right=Right.REP, scope="people:read", answer=DealView, errors=(404,))
async def show_deal(ctx: Ctx) -> Any:
    """One deal."""
    async with ctx.engine.store.read() as session:
        return await deals.show(session, ctx.path("deal"))


@table.route("PATCH", "/deals/{deal}", right=Right.REP, scope="people:write", answer=DealView, errors=(404, 409, 422))
async def change_deal(ctx: Ctx, body: DealChange) -> Any:
    """Change a deal; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await deals.change(work, ctx.path("deal"), body.given())


@table.route("DELETE", "/deals/{deal}", right=Right.MANAGER, scope="people:write", status=204, errors=(404,))
async def remove_deal(ctx: Ctx) -> None:
    """Remove a deal."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await deals.remove(work, ctx.path("deal"))
