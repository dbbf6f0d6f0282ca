"""DIDs: which there are, what they can do, whose they are (N1 to N3)."""

from __future__ import annotations

from typing import Any

from crm.services import numbers
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.people_of_ours import NewNumber, NumberChange, NumberQuery, NumberView

table = Table("numbers")


@table.route("GET", "/numbers", right=Right.MANAGER, scope="admin:read", answer=Listed[NumberView])  # type: ignore[valid-type]
async def list_numbers(ctx: Ctx, query: NumberQuery) -> Any:
    """All numbers; `free=true` for those that nobody has."""
    async with ctx.engine.store.read() as session:
        return {"items": await numbers.list_all(session, free=query.free)}


@table.route(
    "POST", "/numbers", right=Right.ADMIN, scope="admin:write", answer=NumberView, status=201, errors=(404, 409, 422)
)
async def add_number(ctx: Ctx, body: NewNumber) -> Any:
    """Add a number."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await numbers.add(work, body.given())


@table.route("GET", "/numbers/{number}", right=Right.MANAGER, scope="admin:read", answer=NumberView, errors=(404,))
async def show_number(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await numbers.show(session, ctx.path("number"))


@table.route(
    "PATCH", "/numbers/{number}", right=Right.ADMIN, scope="admin:write", answer=NumberView, errors=(404, 409, 422)
)
async def change_number(ctx: Ctx, body: NumberChange) -> Any:
    """Change a number; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await numbers.change(work, ctx.path("number"), body.given())


@table.route("DELETE", "/numbers/{number}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_number(ctx: Ctx) -> None:
    """Remove a number."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await numbers.remove(work, ctx.path("number"))
