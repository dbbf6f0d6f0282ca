"""Templates of texts, and one with its fields filled (T1)."""

from __future__ import annotations

from typing import Any

from crm import script_fields
from crm.services import scripts, text_templates, texts
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Listed
from pbx.web.wire.texts import FilledTemplate, FillQuery, NewTemplate, TemplateChange, TemplateQuery, TemplateView

table = Table("text-templates")


@table.route("GET", "/text-templates", right=Right.REP, scope="texts:read", answer=Listed[TemplateView])  # type: ignore[valid-type]
async def list_text_templates(ctx: Ctx, query: TemplateQuery) -> Any:
    """Those that are offered to you, in their order; or all."""
    async with ctx.engine.store.read() as session:
        return {"items": await text_templates.list_all(session, user_id=None if query.all else ctx.who.id)}


@table.route(
    "POST",
    "/text-templates",
    right=Right.ADMIN,
    scope="admin:write",
    answer=TemplateView,
    status=201,
    errors=(404, 409, 422),
)
async def add_text_template(ctx: Ctx, body: NewTemplate) -> Any:
    """Add a template; a field that there is not is refused."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_templates.add(work, body.given())


@table.route(
    "GET", "/text-templates/{template}", right=Right.REP, scope="texts:read", answer=TemplateView, errors=(404,)
)
async def show_text_template(ctx: Ctx) -> Any:
    """One of them, as it was written."""
    async with ctx.engine.store.read() as session:
        return await text_templates.show(session, ctx.path("template"))


@table.route(
    "GET",
    "/text-templates/{template}/filled",
    right=Right.REP,
    scope="texts:read",
    answer=FilledTemplate,
    errors=(403, 404),
)
async def fill_text_template(ctx: Ctx, query: FillQuery) -> Any:
    """With its fields filled from a conversation, or from a record or number."""
    about: dict[str, Any] = {"customer_number": query.number or "", "record_type": None, "record_id": query.record_id}
    async with ctx.engine.store.read() as session:
        found = await text_templates.show(session, ctx.path("template"))
        if query.conversation_id is not None:
            conversation = await texts.show(session, query.conversation_id)
            if conversation.user_id != ctx.who.id and not ctx.who.sees_all:
                raise forbidden("This conversation is somebody else's.")
            about |= {"customer_number": conversation.customer_number, "record_id": conversation.record_id}
        values = await scripts.values_for(session, about | {"matches": None}, ctx.who.user.name, ctx.home)
    return {"body": script_fields.filled(found.body, values)}


@table.route(
    "PATCH",
    "/text-templates/{template}",
    right=Right.ADMIN,
    scope="admin:write",
    answer=TemplateView,
    errors=(404, 409, 422),
)
async def change_text_template(ctx: Ctx, body: TemplateChange) -> Any:
    """Change a template; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await text_templates.change(work, ctx.path("template"), body.given())


@table.route("DELETE", "/text-templates/{template}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def remove_text_template(ctx: Ctx) -> None:
    """Remove a template."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await text_templates.remove(work, ctx.path("template"))
