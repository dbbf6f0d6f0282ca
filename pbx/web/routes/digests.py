"""Figures by e-mail, for managers who want them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from crm.services import digests
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Answer, Body

table = Table("digests")
Every = Literal["none", "day", "week"]


class DigestWish(Body):
    every: Every = Field(description="Sent in the morning after the day, or on Monday for the week before.")


class DigestAnswer(Answer):
    every: Every
    address: str
    ready: bool = Field(description="Whether a mail server is set: without one nothing is sent.")


@table.route("GET", "/me/digest", right=Right.MANAGER, scope="calls:read", answer=DigestAnswer)
async def show_my_digest(ctx: Ctx) -> Any:
    """Whether you get the figures of calls and texts by e-mail."""
    async with ctx.engine.store.read() as session:
        return _answer(ctx, (await digests.show(session, ctx.who.id)).every)


@table.route("PUT", "/me/digest", right=Right.MANAGER, scope="calls:write", answer=DigestAnswer, errors=(422,))
async def change_my_digest(ctx: Ctx, body: DigestWish) -> Any:
    """Get the figures of each day or week from now on, or no more."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return _answer(ctx, (await digests.change(work, ctx.who.id, body.given())).every)


def _answer(ctx: Ctx, every: str) -> dict[str, Any]:
    return {"every": every, "address": ctx.who.user.email, "ready": ctx.engine.digests.ready}
