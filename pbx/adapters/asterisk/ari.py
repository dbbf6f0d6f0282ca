"""A thin ARI client: one websocket carries the events in and the requests out, in order.

Requests are written without waiting for one another; Asterisk carries them out in the order in which they
were written, so that a sequence (open a bridge, add, dial) costs one round trip, not four. What is asked for in one
step goes out in one write: each write wakes Asterisk, and costs more than all that was done to make it (measured:
0.1 ms). Answers come back by ``request_id``. Source: Asterisk 22, "REST over WebSocket".

Each message costs both sides a system call, and the engine one more turn of its loop. So our Asterisk is asked not to
answer what was done, where nobody wants to hear of it, and to keep to itself what of an event's type nobody wants
(embedded/patches); another one does all of that, and it is passed over here.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import structlog

log = structlog.get_logger("ari")

Json = dict[str, Any]
OnEvent = Callable[[Json], None]
OnAnswer = Callable[[int, Any], None]

HEARTBEAT_S = 10.0
MOST_UNCONFIRMED = 32
"""Quiet requests after which one is answered all the same, and so tells of all before it that they are done."""
_DISALLOWED = (
    "BridgeCreated",
    "BridgeDestroyed",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelCreated",
    "ChannelDialplan",
    "ChannelEnteredBridge",
    "ChannelLeftBridge",
    "ChannelToneDetected",
    "ChannelVarset",
    "ContactStatusChange",
    "EndpointStateChange",
    "PlaybackContinuing",
    "PlaybackStarted",
    "RecordingStarted",
)
_DISALLOWED_IN_PART: tuple[Json, ...] = (
    {"type": "Dial", "dialstatus": ""},
    {"type": "Dial", "dialstatus": "ANSWER"},
    {"type": "Dial", "dialstatus": "RINGING"},  # ChannelStateChange tells
    {"type": "ChannelHangupRequest", "soft": True},  # by ourselves, not by the phone
    {"type": "ChannelStateChange", "channel": {"id": "!leg_*", "state": "Up"}},  # we have asked for it
    {"type": "StasisEnd", "channel": {"id": "leg_*"}},  # of a channel that we made ChannelDestroyed tells,
    {"type": "ChannelDestroyed", "channel": {"id": "!leg_*"}},  # and of one that came to us StasisEnd
)


class AriError(Exception):
    """Asterisk refused a request. ``status`` is its HTTP status, 0 where the link was lost."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class AriClient:
    """One connection to one Asterisk. ``on_event`` runs in the loop and must not block."""

    def __init__(self, base_url: str, user: str, secret: str, app: str, on_event: OnEvent) -> None:
        self._base = base_url.rstrip("/")
        self._auth = base64.b64encode(f"{user}:{secret}".encode()).decode()
        self._app = app
        self._on_event = on_event
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, tuple[float, OnAnswer]] = {}
        self._unless_refused: OrderedDict[int, OnAnswer] = OrderedDict()
        self._unsent: list[bytes] = []
        self._next = 0
        self._loop = asyncio.get_event_loop()
        self.lag_s = 0.0

    @property
    def connected(self) -> bool:
        return self._socket is not None and not self._socket.closed

    async def connect(self, deadline_s: float = 5.0) -> None:
        """Open the websocket and register the application. Raises OSError or aiohttp.ClientError."""
        self._session = self._session or aiohttp.ClientSession()
        headers = {"Authorization": f"Basic {self._auth}"}
        self._socket = await asyncio.wait_for(
            self._session.ws_connect(
                f"{self._base}/ari/events?app={quote(self._app)}&subscribeAll=false",
                headers=headers,
                heartbeat=HEARTBEAT_S,
                max_msg_size=0,
                compress=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ),
            deadline_s,
        )
        self._transport = self._socket._writer.transport  # aiohttp's own way writes each frame by itself

    async def run(self) -> None:
        """Read until the link is lost; every request that waits is then answered with status 0."""
        assert self._socket is not None
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._received(message.data)
        finally:
            await self._lost()

    async def filter_events(self) -> None:
        """Leave out the events that nobody reads: they cost both sides time on every call."""
        whole = [{"type": kind} for kind in _DISALLOWED]
        in_part = [{"type": "*", "event": event} for event in _DISALLOWED_IN_PART]  # no type at all to another Asterisk
        body = {"disallowed": [*whole, *in_part]}
        await self.call("PUT", f"applications/{self._app}/eventFilter", body=body)

    async def hang_up(self) -> None:
        """End the connection; :meth:`connect` may follow."""
        if self._socket is not None:
            await self._socket.close()

    async def close(self) -> None:
        await self.hang_up()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def send(
        self,
        method: str,
        uri: str,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        on_answer: OnAnswer | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Ask for something; ``on_answer(status, body)`` is called later. Never waits, never raises. Where it is
        ``quiet``, ``on_answer`` hears only of what was refused, and of a link that is lost before that is known.

        It goes out with what else this turn of the loop asks for, or with :meth:`flush`.
        """
        if not self.connected:
            if on_answer is not None:
                self._loop.call_soon(on_answer, 0, {"message": "Asterisk is not connected."})
            return
        self._next += 1
        request: Json = {"type": "RESTRequest", "request_id": str(self._next), "method": method, "uri": uri}
        if on_answer is None:
            request["quiet"] = True
        elif quiet:
            request["quiet"] = len(self._unless_refused) < MOST_UNCONFIRMED
            self._unless_refused[self._next] = on_answer
        else:
            self._waiting[self._next] = (self._loop.time(), on_answer)
        if query:
            request["query_strings"] = [{"name": name, "value": value} for name, value in query.items()]
        if body is not None:
            request["content_type"] = "application/json"
            request["message_body"] = orjson.dumps(body).decode()
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent.append(frame(orjson.dumps(request)))

    def flush(self) -> None:
        """Write what was asked for until now. What a link takes no more is answered when it is found lost."""
        frames, self._unsent = self._unsent, []
        if frames and self._transport is not None and self.connected:
            self._transport.write(b"".join(frames))

    async def call(
        self, method: str, uri: str, query: Mapping[str, str] | None = None, body: Json | None = None
    ) -> Any:
        """Send and wait for the answer's body. Raises AriError."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def answered(status: int, content: Any) -> None:
            if future.done():
                return
            if 200 <= status < 300:
                future.set_result(content)
            else:
                text = content.get("message", "") if isinstance(content, dict) else str(content)
                future.set_exception(AriError(status, f"{method} {uri}: {status} {text}"))

        self.send(method, uri, query, body, answered)
        return await asyncio.wait_for(future, 10.0)

    # -- the wire -----------------------------------------------------------------------------------

    def _received(self, text: str) -> None:
        """One message that breaks its reader must not take the link, and every other call, down with it."""
        try:
            message = orjson.loads(text)
            if message.get("type") == "RESTResponse":
                self._answered(message)
            else:
                self._on_event(message)
        except Exception:
            log.exception("ari.message_failed", message=text[:1000])
        self.flush()

    def _answered(self, message: Json) -> None:
        asked, status = int(message.get("request_id") or 0), int(message.get("status_code", 0))
        while self._unless_refused and next(iter(self._unless_refused)) < asked:
            self._unless_refused.popitem(last=False)  # Asterisk goes in order: what it says nothing of is done
        sent_at, answer = self._waiting.pop(asked, (0.0, None))
        if sent_at:
            self._measure(self._loop.time() - sent_at)
        elif 200 <= status < 300:
            self._unless_refused.pop(asked, None)
        else:
            answer = self._unless_refused.pop(asked, _refused)
        if answer is not None:
            content = message.get("message_body")
            answer(status, _json(content) if content else None)

    def _measure(self, round_trip_s: float) -> None:
        """A running mean of the last round trips, weighted to the newest: the measure of Asterisk's load."""
        self.lag_s += (round_trip_s - self.lag_s) * 0.05

    async def _lost(self) -> None:
        self._unsent.clear()
        answers = [answer for _, answer in self._waiting.values()] + list(self._unless_refused.values())
        self._waiting.clear()
        self._unless_refused.clear()
        for answer in answers:
            answer(0, {"message": "The link to Asterisk was lost."})


def frame(payload: bytes) -> bytes:
    """A whole text message of a client: final, masked (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x81, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", 0x81, 0xFE, length)
    else:
        head = struct.pack("!BBQ", 0x81, 0xFF, length)
    mask = os.urandom(4)
    key = (mask * (length // 4 + 1))[:length]
    return head + mask + (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(length)


def _json(text: str) -> Any:
    """Asterisk's own error pages are not JSON."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _refused(status: int, content: Any) -> None:
    if status != 404:
        log.info("ari.refused", status=status, answer=content)
