"""The self-test's caller: one SIP call over loopback, and RTP whose numbering can be restarted at will.

Only what this one call needs of RFC 3261: INVITE, ACK, BYE, no authentication, no retransmission (loopback loses
nothing that matters here, and the call has a deadline).
"""

from __future__ import annotations

import asyncio
import re
import secrets
import struct

import numpy as np
import numpy.typing as npt

from pbx.adapters.asterisk.embedded.errors import BuildError

RATE_HZ = 8000
FRAME = 160  # samples in 20 ms
_FRAME_S = FRAME / RATE_HZ
_LEVEL = 0.4
_ANSWER_S = 10.0
_ULAW = 0


class Caller:
    """A call that stands. ``heard`` collects the payload that came back, in order of arrival."""

    def __init__(self, port: int) -> None:
        self.heard = bytearray()
        self._server = ("127.0.0.1", port)
        self._sip = _Datagrams()
        self._rtp = _Datagrams(self._take)
        self._call_id, self._tag = secrets.token_hex(8), secrets.token_hex(4)
        self._to = ""
        self._media = ("127.0.0.1", 0)

    @classmethod
    async def connect(cls, port: int) -> Caller:
        """Call ``test`` and wait for the answer. Raises BuildError where there is none."""
        caller = cls(port)
        await caller._sip.open()
        await caller._rtp.open()
        try:
            async with asyncio.timeout(_ANSWER_S):
                await caller._invite()
        except TimeoutError as error:
            caller._close()
            raise BuildError("The self-test's call was not answered: this Asterisk cannot be judged.") from error
        return caller

    async def play(self, hz: int, duration_s: float, sequence: int) -> None:
        """Send a tone as a new RTP stream that begins at ``sequence``, at the pace of speech."""
        source, stamp = secrets.randbits(32), secrets.randbits(31)
        frames = int(duration_s / _FRAME_S)
        payload = to_ulaw(_LEVEL * np.sin(2 * np.pi * hz * np.arange(frames * FRAME) / RATE_HZ))
        loop = asyncio.get_running_loop()
        start = loop.time()
        for index in range(frames):
            number, at = (sequence + index) & 0xFFFF, (stamp + index * FRAME) & 0xFFFFFFFF
            marker = 0x80 if index == 0 else 0
            header = struct.pack("!BBHII", 0x80, _ULAW | marker, number, at, source)
            self._rtp.send(header + payload[index * FRAME : (index + 1) * FRAME], self._media)
            await asyncio.sleep(max(0.0, start + (index + 1) * _FRAME_S - loop.time()))

    async def hang_up(self) -> None:
        """Send BYE and wait a moment for its answer."""
        self._send("BYE", 2, self._to)
        try:
            async with asyncio.timeout(2.0):
                await self._answer()
        except TimeoutError:
            pass
        finally:
            self._close()

    async def _invite(self) -> None:
        to = f"<sip:test@127.0.0.1:{self._server[1]}>"
        self._send("INVITE", 1, to, self._offer())
        while (answer := await self._answer()).status < 200:
            pass
        if answer.status != 200:
            raise BuildError(f"The self-test's call was refused with {answer.status}: this Asterisk cannot be judged.")
        self._to = answer.field("To")
        self._media = ("127.0.0.1", int(answer.found(r"^m=audio (\d+)")))
        self._send("ACK", 1, self._to)

    def _send(self, method: str, sequence: int, to: str, body: str = "") -> None:
        here = f"127.0.0.1:{self._sip.port}"
        kind = ["Content-Type: application/sdp"] if body else []
        lines = [
            f"{method} sip:test@127.0.0.1:{self._server[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: <sip:source@{here}>;tag={self._tag}",
            f"To: {to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:source@{here}>",
            *kind,
            f"Content-Length: {len(body)}",
        ]
        self._sip.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._server)

    def _offer(self) -> str:
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
        media = [f"m=audio {self._rtp.port} RTP/AVP {_ULAW}", "a=rtpmap:0 PCMU/8000", "a=ptime:20"]
        return "\r\n".join([*lines, *media]) + "\r\n"

    async def _answer(self) -> _Answer:
        """The next response; requests of the other side (its BYE) are left alone."""
        while True:
            text = (await self._sip.received.get()).decode(errors="replace")
            if text.startswith("SIP/2.0 "):
                return _Answer(text)

    def _take(self, packet: bytes) -> None:
        if len(packet) > 12 and packet[1] & 0x7F == _ULAW:
            self.heard += packet[12:]

    def _close(self) -> None:
        self._sip.close()
        self._rtp.close()


class _Answer:
    def __init__(self, text: str) -> None:
        self._text = text
        self.status = int(text.split(" ", 2)[1])

    def field(self, name: str) -> str:
        return self.found(rf"^{name}: ([^\r\n]+)")

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self._text, re.MULTILINE)
        if not match:
            raise BuildError("The self-test's call was answered in a way that cannot be read.")
        return match[1]


class _Datagrams(asyncio.DatagramProtocol):
    """A UDP socket on loopback; packets go to ``taker``, else into a queue."""

    def __init__(self, taker: object = None) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.port = 0
        self._taker = taker
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if callable(self._taker):
            self._taker(data)
        else:
            self.received.put_nowait(data)

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(data, to)

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def to_ulaw(samples: npt.NDArray[np.float64]) -> bytes:
    """G.711 u-law of samples in -1..1."""
    linear = np.clip(samples * 32767, -32635, 32635).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    magnitude = np.abs(linear) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def from_ulaw(data: bytes) -> npt.NDArray[np.float64]:
    """Samples in -1..1 of G.711 u-law."""
    code = (~np.frombuffer(data, dtype=np.uint8)).astype(np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude) / 32768.0
