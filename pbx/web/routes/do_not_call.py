"""Numbers that nobody here may call (P5)."""

from __future__ import annotations

from typing import Any

from crm.services import do_not_call, do_not_call_lists
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Paged, PageQuery
from pbx.web.wire.call_lists import NewNumbersList, NumbersListView
from pbx.web.wire.imports import ImportView
from pbx.web.wire.people_of_ours import DoNotCallChange, DoNotCallView, NewDoNotCall

table = Table("do-not-call")


@table.route("GET", "/do-not-call", right=Right.MANAGER, scope="admin:read", answer=Paged[DoNotCallView])  # type: ignore[valid-type]
async def list_do_not_call(ctx: Ctx, query: PageQuery) -> Any:
    """The do-not-call list, newest first."""
    async with ctx.engine.store.read() as session:
        return await do_not_call.list_all(session, cursor=query.cursor, limit=query.limit)


@table.route(
    "POST",
    "/do-not-call",
    right=Right.ADMIN,
    scope="admin:write",
    answer=DoNotCallView,
    status=201,
    errors=(404, 409, 422),
)
async def add_do_not_call(ctx: Ctx, body: NewDoNotCall) -> Any:
    """Add an entry."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await do_not_call.add(work, body.given())


@table.route(
    "GET",
    "/do-not-call-lists",
    right=Right.MANAGER,
    scope="admin:read",
    answer=Listed[NumbersListView],  # type: ignore[valid-type]
)
async def list_do_not_call_lists(ctx: Ctx) -> Any:
    """Lists from outside: the gate refuses their numbers, too."""
    async with ctx.engine.store.read() as session:
        return {"items": await do_not_call_lists.list_all(session)}


@table.route(
    "POST",
    "/do-not-call-lists",
    right=Right.ADMIN,
    scope="admin:write",
    answer=ImportView,
    errors=(404, 409, 422),
)
async def import_do_not_call_list(ctx: Ctx, body: NewNumbersList) -> Any:
    """Make a list of an uploaded file (see imports), beside everything else. One of the same name holds until the new
    one stands."""
    return await ctx.engine.imports.start_numbers(
        body.import_id, ctx.who.author, name=body.name, source=body.source, country=ctx.home
    )


@table.route("DELETE", "/do-not-call-lists/{list}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def remove_do_not_call_list(ctx: Ctx) -> None:
    """Remove a list from outside, with all its numbers."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await do_not_call_lists.remove(work, ctx.path("list"))


@table.route(
    "GET", "/do-not-call/{number}", right=Right.MANAGER, scope="admin:read", answer=DoNotCallView, errors=(404,)
)
async def show_do_not_call(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await do_not_call.show(session, ctx.path("number"))


@table.route(
    "PATCH",
    "/do-not-call/{number}",
    right=Right.ADMIN,
    scope="admin:write",
    answer=DoNotCallView,
    errors=(404, 409, 422),
)
async def change_do_not_call(ctx: Ctx, body: DoNotCallChange) -> Any:
    """Change an entry; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await do_not_call.change(work, ctx.path("number"), body.given())


@table.route("DELETE", "/do-not-call/{number}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_do_not_call(ctx: Ctx) -> None:
    """Remove an entry."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await do_not_call.remove(work, ctx.path("number"))
