"""SIP over websocket on our own origin: frames of a browser's phone, passed to Asterisk and back (RFC 7118).

One proxy per connection; it ends with the login. Nothing is queued here: each side is read only as fast as the other
takes it, and one that does not take a frame for a few seconds is cut off. What a browser sends is looked at first
(:mod:`pbx.core.sip_frames`); what Asterisk sends is passed as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import structlog
from aiohttp import WSMsgType, web

from crm.errors import Refused
from pbx.config import in_url
from pbx.core.sip_frames import LARGEST, Refusal, Speaker
from pbx.services.reloads import Ending
from pbx.web.engine import Engine

log = structlog.get_logger("web.sip")

PROTOCOL = "sip"
HEARTBEAT_S = 6.0
"""A page that is gone without a word is missed after one and a half of it: its call waits for that."""
CONNECT_S = 3.0
TAKES_WITHIN_S = 5.0
RECHECK_S = 60.0
GOODBYE_S = 1.0
MOST_PER_LOGIN = 4
"""A page that was reloaded leaves a connection behind until its heartbeat is missed; more are no accident."""

LOGGED_OUT, FORBIDDEN, REPLACED = 4401, 4403, 4409
AWAY, TOO_SLOW = 1012, 1013
GOING_AWAY = 1001  # from a browser: its page is closed or another one is loaded (RFC 6455, 7.4.1)

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class _Ends(Exception):
    """The connection is to be closed with this code and sentence."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def _away() -> Refused:
    return Refused("asterisk_away", "The telephone system is starting. Try again in a few seconds.", status=503)


class SipProxies:
    """The proxies of one application, by login."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: defaultdict[str, list[SipProxy]] = defaultdict(list)
        self._http: aiohttp.ClientSession | None = None
        engine.browsers.watchers.append(self._look)

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    async def connect(self, device: str) -> aiohttp.ClientWebSocketResponse:
        """A connection of its own to the Asterisk that has this phone. Raises Refused (503)."""
        if not self._engine.browsers.reachable:
            raise _away()
        config = self._engine.asterisk_of(device)
        self._http = self._http or aiohttp.ClientSession()
        address = f"http://{in_url(config.ari_host)}:{config.ari_port}/ws"
        wanted = self._http.ws_connect(address, protocols=(PROTOCOL,), compress=0, max_msg_size=2 * LARGEST)
        try:
            return await asyncio.wait_for(wanted, CONNECT_S)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("sip.no_switch", why=str(error) or type(error).__name__)
            raise _away() from error

    async def run(self, proxy: SipProxy, login: str) -> None:
        """Pass frames until either side or the login ends."""
        mine = self._open[login]
        mine.append(proxy)
        reloads = self._engine.reloads
        reloads.connected(proxy.device)
        if len(mine) > MOST_PER_LOGIN:
            mine[0].end(REPLACED, "A newer page of this login has the phone.")
        self._look()  # the login may have ended while Asterisk was connected
        try:
            await proxy.run(lambda ending: reloads.disconnected(proxy.device, ending))
        finally:
            mine.remove(proxy)
            if not mine:
                self._open.pop(login, None)

    def _look(self) -> None:
        """Phones may have gone: so do their connections."""
        for login, proxies in self._open.items():
            if self._engine.browsers.of_login(login) is None:
                for proxy in proxies:
                    proxy.end(LOGGED_OUT, "This login has ended. Sign in again.")

    async def close(self) -> None:
        self._engine.browsers.watchers.remove(self._look)
        if self._http is not None:
            await self._http.close()


class SipProxy:
    """One connection. ``still_in`` asks whether the login holds, which notes its use, too."""

    def __init__(
        self,
        browser: web.WebSocketResponse,
        switch: aiohttp.ClientWebSocketResponse,
        device: str,
        still_in: Callable[[], Awaitable[bool]],
        cut: Callable[[], None],
    ) -> None:
        self._browser, self._switch, self._still_in, self._cut = browser, switch, still_in, cut
        self.device = device
        self._ending = Ending.CUT
        self._speaker = Speaker(device)
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self, code: int, reason: str) -> None:
        """From outside: close it. The first reason is the one that is told."""
        if not self._end.done():
            self._end.set_exception(_Ends(code, reason))

    async def run(self, on_ending: Callable[[Ending], None]) -> None:
        """``on_ending`` is called before the switch hears that the connection has ended."""
        parts = (self._from_browser(), self._from_switch(), self._recheck(), self._end)
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            await self._until_one_ends(tasks, on_ending)
            await self._close(_why(tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._switch.close(), GOODBYE_S)

    async def _until_one_ends(self, tasks: Sequence[asyncio.Future[None]], on_ending: Callable[[Ending], None]) -> None:
        try:
            await asyncio.wait([*tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            on_ending(self._how(_why(tasks)))

    def _how(self, why: _Ends | None) -> Ending:
        """The server may end us as soon as the browser has gone: what it said is known by then all the same."""
        if why is not None:
            return Ending.OURS if why.code in (LOGGED_OUT, AWAY) else Ending.CUT
        if self._ending is Ending.CUT and self._browser.close_code == GOING_AWAY:
            return Ending.LEFT
        return self._ending

    async def _from_browser(self) -> None:
        while True:
            message = await self._browser.receive()
            match message.type:
                case WSMsgType.TEXT:
                    self._check(message.data)
                    await self._pass(self._switch.send_str(message.data))
                case WSMsgType.BINARY:
                    self._check(message.data.decode("utf-8", "surrogateescape"))
                    await self._pass(self._switch.send_bytes(message.data))
                case WSMsgType.CLOSING:  # by ourselves
                    self._ending = Ending.OURS
                    return
                case _:
                    return

    async def _from_switch(self) -> None:
        async for message in self._switch:
            match message.type:
                case WSMsgType.TEXT:
                    await self._pass(self._browser.send_str(message.data))
                case WSMsgType.BINARY:
                    await self._pass(self._browser.send_bytes(message.data))
        raise _Ends(AWAY, "The telephone system has ended the connection. Connect again.")

    def _check(self, frame: str) -> None:
        try:
            self._speaker.check(frame)
        except Refusal as refusal:
            log.warning("sip.refused", device=self._speaker.device, why=str(refusal))
            raise _Ends(FORBIDDEN, str(refusal)) from None

    async def _pass(self, sending: Awaitable[None]) -> None:
        """Wait for room, which is how the other side is slowed down, but not for ever."""
        try:
            async with asyncio.timeout(TAKES_WITHIN_S):
                await sending
        except TimeoutError:
            raise _Ends(TOO_SLOW, "Too slow. Connect again.") from None

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            with contextlib.suppress(Refused):
                if not await self._still_in():
                    raise _Ends(LOGGED_OUT, "This login has ended. Sign in again.")

    async def _close(self, why: _Ends | None) -> None:
        """Say goodbye to the browser. One that does not read does not read this either and is cut off."""
        if why is None:
            return
        log.info("sip.ended", device=self._speaker.device, code=why.code, why=why.reason)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._browser.close(code=why.code, message=why.reason.encode()), GOODBYE_S)
        if why.code == TOO_SLOW:
            self._cut()


def _why(tasks: Sequence[asyncio.Future[None]]) -> _Ends | None:
    """None where the browser went by itself."""
    for task in tasks:
        error = task.exception() if task.done() else None
        if isinstance(error, _Ends):
            return error
        if error is not None and not isinstance(error, ConnectionError):
            log.warning("sip.broken", error=repr(error))
    return None
