"""Is everything well, and what is still to be set up."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from crm.services import setup
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Answer, Listed

table = Table("system")


class FindingAnswer(Answer):
    layer: str
    state: Literal["ok", "warn", "fail"]
    message: str
    remedy: str = Field(description="What to do; empty where nothing is.")


class StepAnswer(Answer):
    key: Literal["notice", "trunk", "number", "user", "phone", "first_call"]
    done: bool


@table.route("GET", "/doctor", right=Right.MANAGER, scope="admin:read", answer=Listed[FindingAnswer])
async def ask_doctor(ctx: Ctx) -> Any:
    """What `pbx doctor` finds in every layer, from the bottom up."""
    return {"items": await ctx.engine.doctor()}


@table.route("GET", "/setup", right=Right.ADMIN, scope="admin:read", answer=Listed[StepAnswer])
async def show_setup(ctx: Ctx) -> Any:
    """The steps of a new organisation up to its first call, and which are done."""
    async with ctx.engine.store.read() as session:
        return {"items": await setup.steps(session)}
