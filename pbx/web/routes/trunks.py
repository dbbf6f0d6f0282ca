"""Ways out and in: carriers."""

from __future__ import annotations

from typing import Any

from crm.services import trunks
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.people_of_ours import NewTrunk, TrunkChange, TrunkView

table = Table("trunks")


@table.route("GET", "/trunks", right=Right.MANAGER, scope="admin:read", answer=Listed[TrunkView])  # type: ignore[valid-type]
async def list_trunks(ctx: Ctx) -> Any:
    """All trunks, in the order in which they are tried."""
    async with ctx.engine.store.read() as session:
        return {"items": await trunks.list_all(session)}


@table.route(
    "POST", "/trunks", right=Right.ADMIN, scope="admin:write", answer=TrunkView, status=201, errors=(404, 409, 422)
)
async def add_trunk(ctx: Ctx, body: NewTrunk) -> Any:
    """Add a trunk."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await trunks.add(work, body.given())


@table.route("GET", "/trunks/{trunk}", right=Right.MANAGER, scope="admin:read", answer=TrunkView, errors=(404,))
async def show_trunk(ctx: Ctx) -> Any:
    """One of them."""
    async with ctx.engine.store.read() as session:
        return await trunks.show(session, ctx.path("trunk"))


@table.route(
    "PATCH", "/trunks/{trunk}", right=Right.ADMIN, scope="admin:write", answer=TrunkView, errors=(404, 409, 422)
)
async def change_trunk(ctx: Ctx, body: TrunkChange) -> Any:
    """Change a trunk; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await trunks.change(work, ctx.path("trunk"), body.given())


@table.route("DELETE", "/trunks/{trunk}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_trunk(ctx: Ctx) -> None:
    """Remove a trunk."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await trunks.remove(work, ctx.path("trunk"))
