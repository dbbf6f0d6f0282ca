"""The console: the built page and its files, on the engine's own origin.

Every address that is not the API's belongs to the page, which finds out itself what to show there; so a link to a call
or a person can be kept and opened. Files carry a hash of their content in their names and may be kept for ever; the
page itself is asked for anew each time, so that a new release reaches everybody with the next reload.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.problems import from_status

table = Table("front", prefix="")

STATIC = Path(__file__).parent.parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"
_ICONS = ("icon.svg", "icon-maskable.svg", "manifest.webmanifest")

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchhook</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem }
  code { font-size: .95em; padding: .1em .35em; border-radius: .3em; outline: 1px solid }
</style>
<h1>Switchhook</h1>
<p>The telephone system is running. Its page is not built yet: run <code>make console</code> and reload.</p>
</html>
"""


@table.route("GET", "/", right=Right.PUBLIC, scope=None, raw="text/html")
async def front_page(ctx: Ctx) -> web.StreamResponse:
    """The console."""
    page = STATIC / "index.html"
    if not page.is_file():
        return web.Response(text=_NOT_BUILT, content_type="text/html")
    return web.FileResponse(page, headers={"Cache-Control": "no-cache"})


@table.route("GET", "/assets/{file}", right=Right.PUBLIC, scope=None, raw="text/javascript", errors=(404,))
async def asset(ctx: Ctx) -> web.StreamResponse:
    """A file of the console; packed where the browser takes it."""
    return _file("assets", ctx.path("file"), _FOR_EVER)


PAGE = "/{page:(?!api/|assets/|sip$).+}"


@table.route("GET", PAGE, right=Right.PUBLIC, scope=None, raw="text/html")
async def page_of_console(ctx: Ctx) -> web.StreamResponse:
    """The console at one of its own addresses, or one of its icons."""
    name = ctx.path("page")
    if name in _ICONS:
        return _file("", name, _A_DAY)
    if "text/html" not in ctx.request.headers.get("Accept", ""):
        raise from_status(404)
    return await front_page(ctx)


def _file(folder: str, name: str, kept: str) -> web.FileResponse:
    path = STATIC / folder / name
    if path.parent != STATIC / folder or not path.is_file():
        raise from_status(404)
    return web.FileResponse(path, headers={"Cache-Control": kept})
