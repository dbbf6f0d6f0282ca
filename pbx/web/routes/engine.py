"""The engine itself: taking no more calls before a planned restart."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Answer, Body

table = Table("engine")


class DrainAsked(Body):
    on: bool = Field(description="True: take no more new calls. False: take them again.")
    refuse: bool = Field(
        False,
        description="Refuse new calls with 503 and Retry-After, so that another node takes them, instead of leaving "
        "them to the dialplan.",
    )


class DrainState(Answer):
    draining: bool
    refuse: bool
    since_us: int | None
    calls: int = Field(description="Calls that are up.")


@table.route("GET", "/engine/drain", right=Right.ADMIN, scope="admin:read", answer=DrainState)
async def show_drain(ctx: Ctx) -> Any:
    """Whether new calls are taken, and how many calls are left."""
    return ctx.engine.drain.view()


@table.route("POST", "/engine/drain", right=Right.ADMIN, scope="admin:write", answer=DrainState)
async def change_drain(ctx: Ctx, body: DrainAsked) -> Any:
    """Take no more new calls, or take them again. Calls that are up are not touched."""
    if body.on:
        ctx.engine.drain.begin(refuse=body.refuse)
    else:
        ctx.engine.drain.end()
    return ctx.engine.drain.view()
