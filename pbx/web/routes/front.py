"""The page at the engine's own address: that it runs, and where to go from here."""

from __future__ import annotations

from aiohttp import web

from pbx.web.context import Ctx
from pbx.web.declare import Right, Table

table = Table("front", prefix="")

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchhook</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem }
  code { font-size: .95em; padding: .1em .35em; border-radius: .3em; outline: 1px solid }
  a { color: inherit }
</style>
<h1>Switchhook</h1>
<p>The telephone system is running.</p>
<ul>
  <li>Phones: enter the SIP user, password and server that <code>pbx device add</code> prints.</li>
  <li>Programs: <a href="/api/v1/openapi.json">the API's description</a> (OpenAPI 3.1); live events are at
    <code>/api/v1/events</code>.</li>
  <li>On this machine: <code>pbx --help</code>, <a href="/readyz">state</a>, <a href="/metrics">metrics</a>.</li>
</ul>
</html>
"""


@table.route("GET", "/", right=Right.PUBLIC, scope=None, raw="text/html")
async def front_page(ctx: Ctx) -> web.Response:
    """A page for people who open the address in a browser."""
    return web.Response(text=_PAGE, content_type="text/html")
