"""A browser with a phone, as a program: signs in, asks for its phone, speaks SIP over the engine's websocket, and has
real WebRTC media.

    browser = await Browser.sign_in(port, "rep@example.com", "password", tone=540)
    await browser.start_phone()
    call = await browser.call("+12065550150")
    await call.until_answered()
    await call.until_hears(820)
    await call.hang_up()
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

import aiohttp

from tests.support.listening import Listening
from tests.support.sip_digest import Challenge, authorization
from tests.support.sip_message import MAGIC, Address, SipMessage, token
from tests.support.tones import describe
from tests.support.waiting import Missed, Signal
from tests.support.webrtc_media import Media

ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS")
SDP = ("Content-Type", "application/sdp")
GOING_AWAY = 1001


class Browser:
    """One login. ``phone`` is what POST /session/phone answered last."""

    def __init__(self, http: aiohttp.ClientSession, base: str, csrf: str, tone: float) -> None:
        self.http, self.base, self.csrf, self.tone = http, base, csrf, tone
        self.phone: dict[str, Any] = {}
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.closed: tuple[int, str] | None = None
        self.signal = Signal()
        self.calls: dict[str, BrowserCall] = {}
        self._unseen: deque[BrowserCall] = deque()
        self._answers: dict[str, SipMessage] = {}
        self._contact = f"c{token(4)}"
        self._via = f"{token(6)}.invalid"
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    async def sign_in(cls, port: int, email: str, password: str, tone: float = 540) -> Browser:
        """By the engine's own front door. The cookie lies in a jar of this browser's own."""
        base = f"http://127.0.0.1:{port}"
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with http.post(f"{base}/api/v1/session", json={"email": email, "password": password}) as response:
            answer = await response.json()
            assert response.status == 200, answer
        return cls(http, base, answer["csrf"], tone)

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"X-CSRF-Token": self.csrf}
        async with self.http.request(method, f"{self.base}/api/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None) if response.status != 204 else None

    async def start_phone(self) -> None:
        """Ask for the phone, connect and register."""
        status, self.phone = await self.ask("POST", "/session/phone")
        assert status == 200, self.phone
        await self.connect()
        assert (await self.register()).status == 200

    async def connect(self) -> None:
        address = self.base.replace("http", "ws") + (self.phone.get("path") or "/sip")
        self.closed = None
        self.socket = await self.http.ws_connect(address, protocols=("sip",), headers={"Origin": self.base}, compress=0)
        self._spawn(self._read())

    @property
    def user(self) -> str:
        return str(self.phone["device_id"])

    async def register(self, expires: int = 300, within: float = 3) -> SipMessage:
        uri = f"sip:{self.phone['domain']}"
        call_id, tag = token(), token(4)

        def made(number: int, extra: list[tuple[str, str]]) -> SipMessage:
            headers = self._request_headers("REGISTER", call_id, number, f"{self.address};tag={tag}", self.address)
            contact = ("Contact", f"<sip:{self._contact}@{self._via};transport=ws>;expires={expires}")
            return SipMessage(f"REGISTER {uri} SIP/2.0", [*headers, contact, *extra])

        return await self.authorized(made, within)

    @property
    def address(self) -> str:
        return f"<sip:{self.user}@{self.phone['domain']}>"

    async def authorized(self, made: Any, within: float = 3) -> SipMessage:
        """Send a request, and again with the digest that was asked for."""
        answer = await self.answered(made(1, []), within)
        if answer.status not in (401, 407):
            return answer
        asked, name = ("WWW-Authenticate", "Authorization")
        if answer.status == 407:
            asked, name = ("Proxy-Authenticate", "Proxy-Authorization")
        challenge = Challenge.parse(answer.header(asked) or "")
        first = made(1, [])
        digest = authorization(challenge, self.user, self.phone["secret"], first.method, first.uri)
        return await self.answered(made(2, [(name, digest)]), within)

    async def answered(self, request: SipMessage, within: float = 3) -> SipMessage:
        """The final answer; those before it are given to the call they belong to."""
        await self.send(request)
        branch = request.branch
        return await self.signal.until(
            lambda: self._answers.pop(branch, None), within, lambda: f"no answer to {request.start}; {self.closed}"
        )

    async def send(self, message: SipMessage) -> None:
        assert self.socket is not None
        await self.socket.send_str(message.encode().decode())

    async def until_closed(self, within: float = 3) -> tuple[int, str]:
        """Code and reason with which the engine ended the connection."""
        return await self.signal.until(lambda: self.closed, within, lambda: "the websocket is still open")

    async def disconnect(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def leave(self) -> None:
        """The page is closed or loaded anew: its sound and its connection end, without any word of SIP."""
        assert self.socket is not None
        await asyncio.gather(*(call.media.close() for call in self.calls.values()), self.socket.close(code=GOING_AWAY))

    def another_page(self, tone: float | None = None) -> Browser:
        """Of the same login, not started yet."""
        return Browser(self.http, self.base, self.csrf, self.tone if tone is None else tone)

    async def reload(self, tone: float | None = None) -> Browser:
        """The page that follows this one."""
        await self.leave()
        page = self.another_page(tone)
        await page.start_phone()
        return page

    async def close(self) -> None:
        for call in self.calls.values():
            await call.media.close()
        await self.disconnect()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.close()

    # -- calls --------------------------------------------------------------------------------------

    async def call(self, number: str) -> BrowserCall:
        """Dial: returns once the INVITE is on its way."""
        media = Media(self.tone, self.signal.fire)
        offer = await media.offer()
        call = BrowserCall(
            self, media, token(), f"<sip:{number}@{self.phone['domain']}>", f"{self.address};tag={token(4)}"
        )
        self.calls[call.id] = call
        self._spawn(call.invite(number, offer))
        return call

    async def incoming(self, within: float = 3) -> BrowserCall:
        await self.signal.until(lambda: bool(self._unseen), within, lambda: f"no call came; {self.closed}")
        return self._unseen.popleft()

    # -- the wire -----------------------------------------------------------------------------------

    def request(self, method: str, uri: str, sender: str, to: str) -> SipMessage:
        """A request outside of any call."""
        return SipMessage(f"{method} {uri} SIP/2.0", self._request_headers(method, token(), 1, sender, to))

    def _request_headers(self, method: str, call_id: str, number: int, sender: str, to: str) -> list[tuple[str, str]]:
        return [
            ("Via", f"SIP/2.0/WS {self._via};branch={MAGIC}{token()}"),
            ("Max-Forwards", "70"),
            ("From", sender),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{number} {method}"),
            ALLOW,
        ]

    async def _read(self) -> None:
        socket = self.socket
        assert socket is not None
        reason = ""
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                if message.data.strip():  # else it keeps the connection alive (RFC 5626)
                    await self._received(SipMessage.parse(message.data.encode()))
                continue
            if message.type is aiohttp.WSMsgType.CLOSE:
                reason = str(message.extra or "")
            break
        self.closed = (int(socket.close_code or 0), reason)
        self.signal.fire()

    async def _received(self, message: SipMessage) -> None:
        call = self.calls.get(message.call_id)
        if not message.is_request:
            if call is not None and message.method == "INVITE":
                await call.progress(message)
            if message.status >= 200:
                self._answers[message.branch] = message
        elif call is not None:
            await call.received(message)
        elif message.method == "INVITE":
            await self._invited(message)
        elif message.method != "ACK":
            await self.send(message.reply(200))
        self.signal.fire()

    async def _invited(self, invite: SipMessage) -> None:
        media = Media(self.tone, self.signal.fire)
        mine = f"{invite.header('To')};tag={token(4)}"
        call = BrowserCall(self, media, invite.call_id, invite.header("From") or "", mine, invite)
        self.calls[call.id] = call
        self._unseen.append(call)
        await self.send(invite.reply(180, call.tag))
        if "alert-autoanswer" in (invite.header("Alert-Info") or ""):
            self._spawn(call.answer())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class BrowserCall(Listening):
    """One call of the browser's."""

    def __init__(
        self, browser: Browser, media: Media, call_id: str, peer: str, mine: str, invite: SipMessage | None = None
    ) -> None:
        self.browser, self.media, self.id = browser, media, call_id
        self.peer, self.mine, self.invite_came = peer, mine, invite
        self.ear, self.signal = media.ear, browser.signal  # type: ignore[assignment]
        self.target = _target(invite) if invite else ""
        self.provisional: list[int] = []
        self.final: int = 0
        self.ended = False
        self.answered_at: float | None = None
        self._number = 1

    @property
    def tag(self) -> str:
        return Address.parse(self.mine).parameter("tag") or ""

    @property
    def rejoins(self) -> str:
        """The call that the page is told it takes part in."""
        assert self.invite_came is not None
        return self.invite_came.header("X-Switchhook-Rejoin") or ""

    @property
    def caller_number(self) -> str:
        assert self.invite_came is not None
        return Address.parse(self.invite_came.header("From") or "").user

    def _missed(self, what: str) -> Missed:
        state = f"media {self.media.state}, answers {self.provisional} {self.final}, {self.browser.closed}"
        return Missed(f"Missed {what}: {state}; heard {describe(self.heard(1.0))}")

    def say(self, tone: float | None) -> None:
        self.media.tone.hz = tone

    # -- a call that we make ------------------------------------------------------------------------

    async def invite(self, number: str, offer: bytes) -> None:
        uri = f"sip:{number}@{self.browser.phone['domain']}"

        def made(count: int, extra: list[tuple[str, str]]) -> SipMessage:
            self._number = count
            return SipMessage(f"INVITE {uri} SIP/2.0", [*self._headers("INVITE"), self._contact(), SDP, *extra], offer)

        answer = await self.browser.authorized(made, 60)
        self.final = answer.status
        if 200 <= answer.status < 300:
            self.target, self.peer = _target(answer), answer.header("To") or self.peer
            await self.browser.send(SipMessage(f"ACK {self.target} SIP/2.0", self._headers("ACK")))
            await self.media.take(answer.body, "answer")
            self.answered_at = time.monotonic()
        else:
            self.ended = True
        self.signal.fire()

    async def progress(self, answer: SipMessage) -> None:
        if answer.status < 200:
            self.provisional.append(answer.status)
        elif answer.status >= 300:
            # an answer that is no success is acknowledged within its own transaction (RFC 3261, 17.1.1.3)
            ack = SipMessage(f"ACK sip:x@{self.browser.phone['domain']} SIP/2.0", self._headers("ACK"))
            await self.browser.send(
                ack.with_header("Via", answer.header("Via") or "").with_header("To", answer.header("To") or "")
            )

    # -- a call that comes --------------------------------------------------------------------------

    async def answer(self, within: float = 5) -> None:
        """Take it; returns once sound can flow."""
        assert self.invite_came is not None
        await self.media.take(self.invite_came.body, "offer")
        ours = await self.media.answer()
        await self.browser.send(self.invite_came.reply(200, self.tag, [self._contact(), SDP], ours))
        self.answered_at = time.monotonic()
        await self.until_connected(within)

    async def until_connected(self, within: float = 5) -> None:
        await self._until(lambda: self.media.state == "connected", within, "ICE and DTLS")

    async def until_answered(self, within: float = 5) -> None:
        await self._until(lambda: self.answered_at is not None, within, "an answer")

    async def until_ended(self, within: float = 5) -> None:
        await self._until(lambda: self.ended, within, "the end of the call")

    async def _until(self, condition: Any, within: float, what: str) -> None:
        await self.signal.until(condition, within, lambda: str(self._missed(what)), 0.05)

    async def renegotiate(self) -> None:
        """A new offer within the call, over the connection that the page has now."""
        offer = self.media.described

        def made(count: int, extra: list[tuple[str, str]]) -> SipMessage:
            self._number += 1
            return SipMessage(
                f"INVITE {self.target} SIP/2.0", [*self._headers("INVITE"), self._contact(), SDP, *extra], offer
            )

        answer = await self.browser.authorized(made)
        assert answer.status == 200, answer.start
        self.target = _target(answer)
        await self.browser.send(SipMessage(f"ACK {self.target} SIP/2.0", self._headers("ACK")))

    async def hang_up(self) -> None:
        self._number += 1
        bye = SipMessage(f"BYE {self.target} SIP/2.0", self._headers("BYE"))
        self.ended = True
        assert (await self.browser.answered(bye)).status == 200
        await self.media.close()

    async def received(self, request: SipMessage) -> None:
        match request.method:
            case "ACK":
                return
            case "CANCEL" if self.invite_came is not None:
                self.ended = True
                await self.browser.send(request.reply(200, self.tag))
                await self.browser.send(self.invite_came.reply(487, self.tag))
            case "BYE":
                self.ended = True
                await self.browser.send(request.reply(200))
            case _:
                await self.browser.send(request.reply(200))

    def _headers(self, method: str) -> list[tuple[str, str]]:
        return self.browser._request_headers(method, self.id, self._number, self.mine, self.peer)

    def _contact(self) -> tuple[str, str]:
        return "Contact", f"<sip:{self.browser._contact}@{self.browser._via};transport=ws>"


def _target(message: SipMessage) -> str:
    return Address.parse(message.header("Contact") or "").uri


async def gone(browser: Browser) -> None:
    """The tab was closed without a word."""
    with contextlib.suppress(Exception):
        assert browser.socket is not None and browser.socket._conn is not None
        assert browser.socket._conn.transport is not None
        browser.socket._conn.transport.abort()
