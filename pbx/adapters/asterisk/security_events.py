"""Asterisk's security events of SIP, over an AMI connection and account of their own that can do nothing else.

A flood makes thousands of them a second. Measured with twenty guessers at full speed: read by panoramisk with
everything else, they kept the loop for seconds, and 4,300 passwords were tried before the block; read here by one
pattern, in slices between which the loop does other things, it was 20.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import structlog

log = structlog.get_logger("security")

RETRY_S = 1.0
SLICE = 1 << 16
LOGIN_WITHIN_S = 5.0

_WHAT = {
    b"ChallengeSent": "challenged",
    b"SuccessfulAuth": "right",
    b"InvalidPassword": "wrong",
    b"ChallengeResponseFailed": "wrong",
    b"InvalidAccountID": "wrong",
}
_EVENT = re.compile(
    rb"^Event: (" + b"|".join(_WHAT) + rb")\r\n(?:[^\r\n]+\r\n)*?"
    rb"Service: PJSIP\r\n(?:[^\r\n]+\r\n)*?"
    rb"AccountID: ([^\r\n]*)\r\n(?:[^\r\n]+\r\n)*?"
    rb"RemoteAddress: [^/\r\n]+/[^/\r\n]+/([^/\r\n]+)/",
    re.MULTILINE,
)

Hear = Callable[[str, str, str], None]
"""What (challenged, right, wrong), from which address, for which account."""


class SecurityEvents:
    """Listens for as long as the engine runs; while Asterisk is away there is nothing to hear."""

    def __init__(self, port: int, user: str, secret: str, hear: Hear, host: str = "127.0.0.1") -> None:
        self._host, self._port, self._user, self._secret, self._hear = host, port, user, secret, hear
        self.connected = False

    async def run(self) -> None:
        said = False
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=4 * SLICE)
                try:
                    await asyncio.wait_for(self._log_in(reader, writer), LOGIN_WITHIN_S)
                    said, self.connected = False, True
                    await self._listen(reader)
                finally:
                    self.connected = False
                    writer.close()
            except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                if not said:
                    log.info("security.not_heard", why=str(error) or type(error).__name__)
                said = True
            await asyncio.sleep(RETRY_S)

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()  # the banner
        writer.write(
            f"Action: Login\r\nUsername: {self._user}\r\nSecret: {self._secret}\r\nEvents: security\r\n\r\n".encode()
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        if b"Response: Success" not in answer:
            raise ConnectionRefusedError("Asterisk's manager interface does not let us hear its security events.")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await reader.read(SLICE):
            data = rest + chunk
            whole = data.rfind(b"\r\n\r\n") + 4
            rest = data[whole:] if whole >= 4 else data[-SLICE:]
            self.read(data[:whole])
            await asyncio.sleep(0)  # calls go first

    def read(self, text: bytes) -> None:
        """Hear every event in this text."""
        for kind, account, address in _EVENT.findall(text):
            try:
                self._hear(_WHAT[kind], address.decode(), account.decode("utf-8", "replace"))
            except Exception:
                log.exception("security.not_taken", address=address)
