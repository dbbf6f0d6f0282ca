"""Your way through a call list: start, dial, skip, pause, stop (L2, V12). One at a time."""

from __future__ import annotations

from typing import Any

from pbx.core.dialer import events
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.call_lists import CurrentRun, DialEntry, HoldCountdown, ListRunView, SkipEntry, StartRun

table = Table("lists")
_WRITE: dict[str, Any] = {"right": Right.REP, "scope": "calls:write", "answer": ListRunView, "errors": (404, 409, 422)}


@table.route("GET", "/list-run", right=Right.REP, scope="calls:read", answer=CurrentRun)
async def show_list_run(ctx: Ctx) -> Any:
    """Where you stand; null where you work on no list. Changes follow as events of the type `list_run`."""
    return {"list_run": await ctx.engine.dialer.current(ctx.who.id)}


@table.route(
    "POST",
    "/list-run",
    right=Right.REP,
    scope="calls:write",
    answer=ListRunView,
    errors=(403, 404, 409, 422),
)
async def start_list_run(ctx: Ctx, body: StartRun) -> Any:
    """Work on a list: it goes on where it stood. The first entry is yours until you call, skip or stop."""
    return await ctx.engine.dialer.start(ctx.who.id, body.list_id, body.via, body.device_id)


@table.route("POST", "/list-run/beat", **_WRITE)
async def beat(ctx: Ctx) -> Any:
    """You are there: to be sent every 15 seconds. Without it, after 45 seconds your entry is free for others and the
    run is paused."""
    return await ctx.engine.dialer.beat(ctx.who.id)


@table.route("POST", "/list-run/dial", **_WRITE)
async def dial_entry(ctx: Ctx, body: DialEntry) -> Any:
    """Call the entry that is shown, without waiting for the countdown."""
    return await ctx.engine.dialer.dial(ctx.who.id, body.number)


@table.route("POST", "/list-run/skip", **_WRITE)
async def skip_entry(ctx: Ctx, body: SkipEntry) -> Any:
    """Leave the entry that is shown: for some minutes, or for good."""
    return await ctx.engine.dialer.skip(ctx.who.id, body.reason, body.minutes)


@table.route("POST", "/list-run/next", **_WRITE)
async def go_on(ctx: Ctx) -> Any:
    """Go on after a call, or look for somebody to call now. Where a summary is required, saving it goes on."""
    return await ctx.engine.dialer.ask(ctx.who.id, events.NextAsked())


@table.route("POST", "/list-run/hold", **_WRITE)
async def hold_countdown(ctx: Ctx, body: HoldCountdown) -> Any:
    """Stop the countdown while somebody types, or let it go on."""
    return await ctx.engine.dialer.ask(ctx.who.id, events.Held(body.held))


@table.route("POST", "/list-run/pause", **_WRITE)
async def pause_list_run(ctx: Ctx) -> Any:
    """Nothing is dialled until you resume; a call that goes on goes on."""
    return await ctx.engine.dialer.ask(ctx.who.id, events.Paused())


@table.route("POST", "/list-run/resume", **_WRITE)
async def resume_list_run(ctx: Ctx) -> Any:
    """Go on."""
    return await ctx.engine.dialer.ask(ctx.who.id, events.Resumed())


@table.route("POST", "/list-run/stop", **_WRITE)
async def stop_list_run(ctx: Ctx) -> Any:
    """Stop working on the list. It stays where it stands; a call that goes on goes on."""
    return await ctx.engine.dialer.ask(ctx.who.id, events.Stopped())
