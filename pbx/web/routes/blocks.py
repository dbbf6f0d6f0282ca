"""Addresses that are kept out of SIP and of signing in (TRUST 16)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from crm.records import Block
from crm.services import blocks
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Answer, Body, Listed, view

table = Table("blocks")
BlockView = view(Block, "BlockView")


class NewBlock(Body):
    address: str = Field(examples=["192.0.2.7", "198.51.100.0/24"])
    reason: str = ""
    minutes: int | None = Field(None, description="Without it the block holds until it is taken away.")


class LetIn(Answer):
    removed: int


@table.route("GET", "/blocks", right=Right.ADMIN, scope="admin:read", answer=Listed[BlockView])  # type: ignore[valid-type]
async def list_blocks(ctx: Ctx) -> Any:
    """Those that hold now, the newest first."""
    async with ctx.engine.store.read() as session:
        return {"items": await blocks.list_all(session, ctx.engine.clock.now())}


@table.route(
    "POST", "/blocks", right=Right.ADMIN, scope="admin:write", answer=BlockView, status=201, errors=(404, 409, 422)
)
async def add_block(ctx: Ctx, body: NewBlock) -> Any:
    """Block an address or a network by hand."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await blocks.add(work, body.given())


@table.route("DELETE", "/blocks/{address}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def remove_block(ctx: Ctx) -> None:
    """Let an address in again. The slash of a network is written %2F."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await blocks.remove(work, ctx.path("address"))


@table.route("DELETE", "/blocks", right=Right.ADMIN, scope="admin:write", answer=LetIn)
async def remove_all_blocks(ctx: Ctx) -> Any:
    """Let everybody in again."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return {"removed": await blocks.remove_all(work)}
