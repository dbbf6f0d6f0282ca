"""Whoever tries to get in from outside: single SIP requests over UDP from an address of choice, and what comes back."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass

from tests.support.sip_digest import Challenge, authorization
from tests.support.sip_message import MAGIC, SipMessage, token

Peer = tuple[str, int]


@dataclass(frozen=True)
class Heard:
    """``status`` is None where nothing came; ``ms`` until the answer."""

    status: int | None
    ms: float
    message: SipMessage | None = None


class Prober:
    """One socket; answers are matched by their branch. ``secret`` is what it believes the password to be."""

    def __init__(self, server: Peer, host: str, secret: str = "guessed") -> None:
        self.server, self.host, self.secret = server, host, secret
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    def request(self, method: str, user: str, *, call_id: str = "", authorized: str = "", number: int = 1) -> bytes:
        host, port = self._socket.getsockname()
        uri = f"sip:{self.server[0]}" if method == "REGISTER" else f"sip:+12065550199@{self.server[0]}"
        who = f"<sip:{user}@{self.server[0]}>"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch={MAGIC}{token()}",
            "Max-Forwards: 70",
            f"From: {who};tag={token()}",
            f"To: {who if method == 'REGISTER' else f'<{uri}>'}",
            f"Call-ID: {call_id or token()}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{user}@{host}:{port}>",
            *([f"Authorization: {authorized}"] if authorized else []),
            "Content-Length: 0",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def ask(self, method: str, user: str, within: float = 1.0, **more: object) -> Heard:
        """Send once, and wait for the final answer."""
        return await self.send(self.request(method, user, **more), within)  # type: ignore[arg-type]

    async def send(self, raw: bytes, within: float = 1.0) -> Heard:
        loop = asyncio.get_running_loop()
        branch = raw.partition(b"branch=")[2].partition(b"\r\n")[0].partition(b";")[0]
        began = time.perf_counter()
        self._socket.sendto(raw, self.server)
        try:
            async with asyncio.timeout(within):
                while True:
                    data = await loop.sock_recv(self._socket, 65536)
                    if branch in data and not data.startswith(b"SIP/2.0 1"):
                        message = SipMessage.parse(data)
                        return Heard(message.status, (time.perf_counter() - began) * 1000, message)
        except TimeoutError:
            return Heard(None, (time.perf_counter() - began) * 1000)

    async def guess(self, user: str, within: float = 1.0, method: str = "REGISTER") -> Heard:
        """One guess at a password: the answer to it, or to the request before it where there is none."""
        call_id = token()
        first = await self.ask(method, user, within, call_id=call_id)
        challenge = first.message.header("WWW-Authenticate") if first.message else None
        if challenge is None:
            return first
        uri = f"sip:{self.server[0]}" if method == "REGISTER" else f"sip:+12065550199@{self.server[0]}"
        value = authorization(Challenge.parse(challenge), user, self.secret, method, uri)
        return await self.ask(method, user, within, call_id=call_id, authorized=value, number=2)
