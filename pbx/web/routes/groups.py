"""Groups of users who can be rung or invited together."""

from __future__ import annotations

from typing import Any

from crm.services import groups
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.people_of_ours import GroupChange, GroupView, NewGroup

table = Table("groups")


@table.route("GET", "/groups", right=Right.REP, scope="admin:read", answer=Listed[GroupView])  # type: ignore[valid-type]
async def list_groups(ctx: Ctx) -> Any:
    """All groups with their members."""
    async with ctx.engine.store.read() as session:
        return {"items": await groups.list_all(session)}


@table.route(
    "POST", "/groups", right=Right.ADMIN, scope="admin:write", answer=GroupView, status=201, errors=(404, 409, 422)
)
async def add_group(ctx: Ctx, body: NewGroup) -> Any:
    """Add a group."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await groups.add(work, body.given())


@table.route("GET", "/groups/{group}", right=Right.REP, scope="admin:read", answer=GroupView, errors=(404,))
async def show_group(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await groups.show(session, ctx.path("group"))


@table.route(
    "PATCH", "/groups/{group}", right=Right.ADMIN, scope="admin:write", answer=GroupView, errors=(404, 409, 422)
)
async def change_group(ctx: Ctx, body: GroupChange) -> Any:
    """Change a group; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await groups.change(work, ctx.path("group"), body.given())


@table.route("DELETE", "/groups/{group}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_group(ctx: Ctx) -> None:
    """Remove a group."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await groups.remove(work, ctx.path("group"))
