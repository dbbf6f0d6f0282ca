"""Notices about law and consent (N5, S8)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from crm import records
from crm.services import notices
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed, Query, view

table = Table("notices")
NoticeView = view(records.Notice)


class InLanguage(Query):
    language: str | None = Field(None, max_length=20, description="en or ja; else as the browser asks.")


@table.route("GET", "/notices", right=Right.REP, scope="admin:read", answer=Listed[NoticeView])  # type: ignore[valid-type]
async def list_notices(ctx: Ctx, query: InLanguage) -> Any:
    """What must be accepted before calls are made (`voice`) and recorded (`recording`), and who did."""
    async with ctx.engine.store.read() as session:
        return {"items": await notices.list_all(session, ctx.language(query.language))}


@table.route("POST", "/notices/{notice}/accept", right=Right.ADMIN, scope=None, answer=NoticeView, errors=(404, 409))
async def accept_notice(ctx: Ctx, query: InLanguage) -> Any:
    """Accept a notice, in your name. Programs cannot."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await notices.accept(work, ctx.path("notice"), ctx.language(query.language))
