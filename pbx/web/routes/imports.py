"""Import of CSV files: upload, say what the columns are, start, watch, take the refused lines along (A6).

Who manages may import anything; a rep people into call lists of their own (L1), and sees no file of others.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.errors import Refused, not_found
from crm.services import call_lists
from crm.services.import_mapping import fields_of
from pbx.services.imports import Import
from pbx.web import csv_replies, uploads
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.imports import Columns, ImportView, PreviewView, StartImport, UploadQuery

table = Table("people")
CHUNK = 256 * 1024


@table.route(
    "POST",
    "/imports",
    right=Right.REP,
    scope="people:write",
    answer=ImportView,
    status=201,
    errors=(403, 413, 422),
    takes="text/csv",
)
async def upload_import(ctx: Ctx, query: UploadQuery) -> Any:
    """Upload a CSV file of 100 MB at most, with its columns' names in the first line. Nothing is imported yet.
    What reps may upload within a day is a setting."""
    if not ctx.who.sees_all:
        async with ctx.engine.store.read() as session:
            await call_lists.check_may_have(session, ctx.who.id)
    chunks = ctx.request.content.iter_chunked(CHUNK)
    async with uploads.quota(ctx) as check:
        return await ctx.engine.imports.keep(query.name, ctx.who.id, chunks, check)


@table.route(
    "POST",
    "/imports/{import}/preview",
    right=Right.REP,
    scope="people:write",
    answer=PreviewView,
    errors=(404, 422),
)
async def preview_import(ctx: Ctx, body: Columns) -> Any:
    """What the columns would be taken for and what the first lines would bring. Changes nothing."""
    found = await ctx.engine.imports.preview(_found(ctx).id, body.kind, body.mapping, ctx.home)
    return {"preview": found, "fields": sorted(fields_of(body.kind))}


@table.route(
    "POST",
    "/imports/{import}/start",
    right=Right.REP,
    scope="people:write",
    answer=ImportView,
    errors=(403, 404, 409, 422),
)
async def start_import(ctx: Ctx, body: StartImport) -> Any:
    """Import it, beside everything else. Lines that are there already change nothing; one file at a time. A rep needs
    a call list of their own that gets what the lines become, and has the new people."""
    found = _found(ctx)
    if not ctx.who.sees_all:
        await _check_own_list(ctx, body)
    return await ctx.engine.imports.start(
        found.id,
        ctx.who.author,
        kind=body.kind,
        mapping=body.mapping,
        country=ctx.home,
        owner_id=body.owner_id if ctx.who.sees_all else ctx.who.id,
        list_id=body.list_id,
        language=ctx.reader,
    )


@table.route("GET", "/imports/{import}", right=Right.REP, scope="people:write", answer=ImportView, errors=(404,))
async def show_import(ctx: Ctx) -> Any:
    """How far it is, and what came of it."""
    return _found(ctx)


@table.route("GET", "/imports/{import}/report", right=Right.REP, scope="people:write", raw="text/csv", errors=(404,))
async def report_of_import(ctx: Ctx) -> web.StreamResponse:
    """The lines that could not be kept, each with its number and the reason: to be mended and imported by itself."""
    found = _found(ctx)
    path = ctx.engine.imports.report(found.id)
    if found.state == "running" or not path.is_file():
        raise Refused("no_report", "No line was refused, or the import is not over yet.", status=404)
    return web.FileResponse(path, headers=csv_replies.headers("refused"))


@table.route("DELETE", "/imports/{import}", right=Right.REP, scope="people:write", status=204, errors=(404,))
async def remove_import(ctx: Ctx) -> None:
    """Stop it, if it runs, and take the file away. What was imported so far stays."""
    await ctx.engine.imports.remove(_found(ctx).id)


def _found(ctx: Ctx) -> Import:
    found = ctx.engine.imports.show(ctx.path("import"))
    if found.user_id != ctx.who.id and not ctx.who.sees_all:
        raise not_found("import", found.id)
    return found


async def _check_own_list(ctx: Ctx, body: StartImport) -> None:
    if body.list_id is None or body.owner_id not in (None, ctx.who.id):
        raise forbidden("You may import people into call lists of your own, as yours. Name such a list in “list_id”.")
    async with ctx.engine.store.read() as session:
        row = await call_lists.find(session, body.list_id)
        await call_lists.check_may_use(session, row, ctx.who.id)
        await call_lists.check_may_change(session, row, ctx.who.id)
