"""Scripts: what users say, as an admin wrote it, and the one for a call (V11)."""

from __future__ import annotations

from typing import Any

from crm import script_fields
from crm.services import scripts
from pbx.web import call_log
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.scripts import CallScript, NewScript, ScriptChange, ScriptView

table = Table("scripts")


@table.route("GET", "/scripts", right=Right.REP, scope="admin:read", answer=Listed[ScriptView])  # type: ignore[valid-type]
async def list_scripts(ctx: Ctx) -> Any:
    """All scripts, in the order in which they are tried."""
    async with ctx.engine.store.read() as session:
        return {"items": await scripts.list_all(session)}


@table.route(
    "POST", "/scripts", right=Right.ADMIN, scope="admin:write", answer=ScriptView, status=201, errors=(404, 409, 422)
)
async def add_script(ctx: Ctx, body: NewScript) -> Any:
    """Add a script; a field that there is not is refused."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await scripts.add(work, body.given())


@table.route("GET", "/scripts/{script}", right=Right.REP, scope="admin:read", answer=ScriptView, errors=(404,))
async def show_script(ctx: Ctx) -> Any:
    """One of them, as it was written."""
    async with ctx.engine.store.read() as session:
        return await scripts.show(session, ctx.path("script"))


@table.route(
    "PATCH", "/scripts/{script}", right=Right.ADMIN, scope="admin:write", answer=ScriptView, errors=(404, 409, 422)
)
async def change_script(ctx: Ctx, body: ScriptChange) -> Any:
    """Change a script; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await scripts.change(work, ctx.path("script"), body.given())


@table.route("DELETE", "/scripts/{script}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_script(ctx: Ctx) -> None:
    """Remove a script."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await scripts.remove(work, ctx.path("script"))


@table.route("GET", "/calls/{call}/script", right=Right.REP, scope="calls:read", answer=CallScript, errors=(404,))
async def show_script_of_call(ctx: Ctx) -> Any:
    """The script for you in this call, its fields filled from the record that the call is filed under."""
    found = await call_log.find(ctx, ctx.path("call"))
    call_log.check_may_see(ctx, found)
    async with ctx.engine.store.read() as session:
        script = await scripts.fitting(session, found.view["direction"], ctx.who.id)
        if script is None:
            return {"script": None}
        values = await scripts.values_for(session, found.view, ctx.who.user.name, ctx.home)
    body = script_fields.filled(script.body, values)
    return {"script": {"id": script.id, "name": script.name, "body": body}}
