"""Filters of lists that users keep under a name: their own, and those that are shared with everybody (R1)."""

from __future__ import annotations

from typing import Any

from crm.services import saved_filters
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.saved_filters import NewSavedFilter, SavedFilterChange, SavedFilterQuery, SavedFilterView

table = Table("saved-filters")


@table.route(
    "GET",
    "/saved-filters",
    right=Right.REP,
    scope="people:read",
    answer=Listed[SavedFilterView],  # type: ignore[valid-type]
    errors=(422,),
)
async def list_saved_filters(ctx: Ctx, query: SavedFilterQuery) -> Any:
    """Your own and those that are shared, by name."""
    async with ctx.engine.store.read() as session:
        return {"items": await saved_filters.list_all(session, user=ctx.who.id, page=query.page)}


@table.route(
    "POST",
    "/saved-filters",
    right=Right.REP,
    scope="people:write",
    answer=SavedFilterView,
    status=201,
    errors=(409, 422),
)
async def add_saved_filter(ctx: Ctx, body: NewSavedFilter) -> Any:
    """Keep a filter under a name, for yourself or for everybody."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        return await saved_filters.add(work, body.given() | {"user": ctx.who.id})


@table.route(
    "PATCH",
    "/saved-filters/{filter}",
    right=Right.REP,
    scope="people:write",
    answer=SavedFilterView,
    errors=(403, 404, 409, 422),
)
async def change_saved_filter(ctx: Ctx, body: SavedFilterChange) -> Any:
    """Change a filter of yours; a shared one may be changed by managers, too. Only what is sent changes."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await saved_filters.check_may_change(work.session, ctx.path("filter"), ctx.who.id)
        return await saved_filters.change(work, ctx.path("filter"), body.given())


@table.route(
    "DELETE", "/saved-filters/{filter}", right=Right.REP, scope="people:write", status=204, errors=(403, 404, 409)
)
async def remove_saved_filter(ctx: Ctx) -> None:
    """Remove a filter of yours; a shared one may be removed by managers, too."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        await saved_filters.check_may_change(work.session, ctx.path("filter"), ctx.who.id)
        await saved_filters.remove(work, ctx.path("filter"))
