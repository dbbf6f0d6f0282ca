"""The live event stream: a snapshot, then changes, numbered and resumable (A5).

One task per connection sends; the hub only puts frames into its queue. A reader whose queue is full is told so
(1013, try again later) and cut off: nobody is waited for (TRUST 14).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field

from crm.errors import Refused
from crm.records import as_dict
from crm.services import summaries, tasks, texts, voicemails
from pbx.services.displays import with_displays
from pbx.services.hub import Hub, Listener, unheard_voicemail
from pbx.web import replies
from pbx.web.auth import DOOR
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.problems import BadRequest
from pbx.web.sockets import SOCKETS
from pbx.web.wire.base import Query
from pbx.web.wire.events import Frame

log = structlog.get_logger("web.events")

table = Table("events")
HEARTBEAT_S = 20.0
RECHECK_S = 30.0
GOODBYE_S = 1.0
TOO_SLOW, LOGGED_OUT = 1013, 4401
NEW_MESSAGES, DRAFTS, TASKS = 500, 50, 200
TASKS_AHEAD_US = 7 * 24 * 3_600_000_000


class Resume(Query):
    after: int | None = Field(None, ge=0, le=2**62, description="`n` of the last event that you have.")
    epoch: str | None = Field(None, description="Of the snapshot that `after` counts from.")


@table.route(
    "GET",
    "/events",
    right=Right.REP,
    scope="events:read",
    status=101,
    answer=Frame,
    raw="application/json",
    errors=(426,),
)
async def follow_events(ctx: Ctx, query: Resume) -> web.StreamResponse:
    """A websocket. The first message is a snapshot, or `resumed` where `after` and `epoch` reach back far enough;
    then events, each with its number `n`. An event carries the new state of what it is about: replace it by its id.
    """
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False, max_msg_size=4096)
    if not socket.can_prepare(ctx.request).ok:
        problem = BadRequest(426, "websocket_wanted", "This address is a websocket. Open it as one.")
        problem.headers["Upgrade"] = "websocket"
        raise problem
    await socket.prepare(ctx.request)
    sockets = ctx.request.app[SOCKETS]
    sockets.add(socket)
    try:
        await _Connection(ctx, socket).run(query)
    finally:
        sockets.discard(socket)
    return socket


class _Connection:
    def __init__(self, ctx: Ctx, socket: web.WebSocketResponse) -> None:
        self._ctx, self._socket = ctx, socket
        self._hub: Hub = ctx.engine.hub
        self._ready = asyncio.Event()
        self._listener = Listener(ctx.who.id, ctx.who.sees_all, self._ready.set)

    async def run(self, query: Resume) -> None:
        tasks = [asyncio.ensure_future(each) for each in (self._send(query), self._read(), self._recheck())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(self._listener)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                    log.warning("events.broken", error=repr(result))
            await self._say_goodbye()

    async def _send(self, query: Resume) -> None:
        await self._begin(query)
        while not self._listener.lost:
            await self._ready.wait()
            self._ready.clear()
            while self._listener.frames:
                await self._socket.send_frame(self._listener.frames.popleft(), WSMsgType.TEXT)

    async def _begin(self, query: Resume) -> None:
        """Listen first, then send where we stand: events that come meanwhile are sent after it, and applying one that
        the snapshot has already changes nothing."""
        who = self._ctx.who
        self._hub.listen(self._listener)
        missed = None
        if query.after is not None and query.epoch is not None:
            missed = self._hub.since(query.after, query.epoch)
        if missed is None:
            snapshot = self._hub.snapshot(who.id, who.sees_all)
            snapshot |= {"voicemails": with_displays(await self._new_messages(), self._ctx.home)}
            snapshot |= await self._to_do()
            snapshot |= {"list_run": await self._list_run()}
            await self._socket.send_frame(replies.encode(snapshot), WSMsgType.TEXT)
            return
        frames = [event.encoded() for event in missed if self._listener.may_see(event)]
        hello = {"type": "resumed", "epoch": self._hub.epoch, "n": self._hub.number, "missed": len(frames)}
        await self._socket.send_frame(replies.encode(hello), WSMsgType.TEXT)
        for frame in frames:
            await self._socket.send_frame(frame, WSMsgType.TEXT)

    async def _new_messages(self) -> list[dict[str, Any]]:
        """Unheard voicemails of the store, and what the store may not have taken yet. An outage of the store
        must not keep a console from seeing its calls."""
        user_id = self._ctx.who.id
        found: dict[str, dict[str, Any] | None] = {}
        try:
            async with self._ctx.engine.store.read() as session:
                page = await voicemails.list_all(session, user_id, heard=False, limit=NEW_MESSAGES)
            found = {item.id: unheard_voicemail(as_dict(item)) for item in page.items}
        except Refused as refused:
            log.warning("events.no_voicemails", why=refused.message)
        found |= self._hub.new_messages(user_id)
        return sorted((item for item in found.values() if item), key=lambda item: (item["created_us"], item["id"]))

    async def _to_do(self) -> dict[str, Any]:
        """The user's drafts, the tasks that are due before long and what is unread, as the store has them: each
        change of these is told after it stands there."""
        user_id, until_us = self._ctx.who.id, self._ctx.engine.clock.now() + TASKS_AHEAD_US
        found: dict[str, Any] = {"summaries": [], "tasks": [], "tasks_until_us": until_us, "conversations": []}
        try:
            async with self._ctx.engine.store.read() as session:
                drafts = await summaries.page(session, user_id, state="draft", limit=DRAFTS)
                due = await tasks.page(session, user_id=user_id, due_before_us=until_us + 1, limit=TASKS)
                unread = await texts.unread(session, user_id)
        except Refused as refused:
            log.warning("events.nothing_to_do", why=refused.message)
            return found
        found |= {"summaries": [as_dict(each) for each in reversed(drafts.items)], "tasks": due.items}
        return found | {"conversations": with_displays([as_dict(each) for each in unread], self._ctx.home)}

    async def _list_run(self) -> Any:
        """The user's way through a call list, as the store has it."""
        with contextlib.suppress(Refused):
            view = await self._ctx.engine.dialer.current(self._ctx.who.id)
            return with_displays(as_dict(view), self._ctx.home) if view is not None else None
        return None

    async def _read(self) -> None:
        """Nothing is expected; reading answers pings and notices the end."""
        async for message in self._socket:
            if message.type is WSMsgType.ERROR:
                return

    async def _recheck(self) -> None:
        """A login that ended, or a role that was taken away, ends the stream too."""
        while True:
            await asyncio.sleep(RECHECK_S)
            with contextlib.suppress(Refused):
                now = await self._ctx.request.app[DOOR].identify(self._ctx.request)
                if now is None or now.sees_all != self._listener.sees_all:
                    return

    async def _say_goodbye(self) -> None:
        """A reader that does not read does not read this either: the connection is cut after a moment. So is one where
        pings are not answered: what was sent might wait before its end for ever."""
        code, text = (TOO_SLOW, b"Too slow. Connect again.") if self._listener.lost else (LOGGED_OUT, b"Sign in again.")
        transport = self._ctx.request.transport
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._socket.close(code=code, message=text), GOODBYE_S)
        silent = self._socket.close_code == WSCloseCode.ABNORMAL_CLOSURE
        if (self._listener.lost or silent) and transport is not None:
            transport.abort()
