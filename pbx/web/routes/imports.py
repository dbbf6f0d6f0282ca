"""Import of CSV files: upload, say what the columns are, start, watch, take the refused lines along (A6)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm.errors import Refused
from crm.services.import_mapping import fields_of
from pbx.web import csv_replies
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.imports import Columns, ImportView, PreviewView, StartImport, UploadQuery

table = Table("people")
CHUNK = 256 * 1024


@table.route(
    "POST",
    "/imports",
    right=Right.MANAGER,
    scope="people:write",
    answer=ImportView,
    status=201,
    errors=(413, 422),
    takes="text/csv",
)
async def upload_import(ctx: Ctx, query: UploadQuery) -> Any:
    """Upload a CSV file of 100 MB at most, with its columns' names in the first line. Nothing is imported yet."""
    return await ctx.engine.imports.keep(query.name, ctx.who.id, ctx.request.content.iter_chunked(CHUNK))


@table.route(
    "POST",
    "/imports/{import}/preview",
    right=Right.MANAGER,
    scope="people:write",
    answer=PreviewView,
    errors=(404, 422),
)
async def preview_import(ctx: Ctx, body: Columns) -> Any:
    """What the columns would be taken for and what the first lines would bring. Changes nothing."""
    found = await ctx.engine.imports.preview(ctx.path("import"), body.kind, body.mapping, ctx.home)
    return {"preview": found, "fields": sorted(fields_of(body.kind))}


@table.route(
    "POST",
    "/imports/{import}/start",
    right=Right.MANAGER,
    scope="people:write",
    answer=ImportView,
    errors=(404, 409, 422),
)
async def start_import(ctx: Ctx, body: StartImport) -> Any:
    """Import it, beside everything else. Lines that are there already change nothing; one file at a time."""
    return await ctx.engine.imports.start(
        ctx.path("import"),
        ctx.who.author,
        kind=body.kind,
        mapping=body.mapping,
        country=ctx.home,
        owner_id=body.owner_id,
        list_id=body.list_id,
        language=ctx.reader,
    )


@table.route("GET", "/imports/{import}", right=Right.MANAGER, scope="people:write", answer=ImportView, errors=(404,))
async def show_import(ctx: Ctx) -> Any:
    """How far it is, and what came of it."""
    return ctx.engine.imports.show(ctx.path("import"))


@table.route(
    "GET", "/imports/{import}/report", right=Right.MANAGER, scope="people:write", raw="text/csv", errors=(404,)
)
async def report_of_import(ctx: Ctx) -> web.StreamResponse:
    """The lines that could not be kept, each with its number and the reason: to be mended and imported by itself."""
    found = ctx.engine.imports.show(ctx.path("import"))
    path = ctx.engine.imports.report(found.id)
    if found.state == "running" or not path.is_file():
        raise Refused("no_report", "No line was refused, or the import is not over yet.", status=404)
    return web.FileResponse(path, headers=csv_replies.headers("refused"))


@table.route("DELETE", "/imports/{import}", right=Right.MANAGER, scope="people:write", status=204, errors=(404,))
async def remove_import(ctx: Ctx) -> None:
    """Stop it, if it runs, and take the file away. What was imported so far stays."""
    await ctx.engine.imports.remove(ctx.path("import"))
