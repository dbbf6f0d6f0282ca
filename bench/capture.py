"""The moments of SIP messages as the kernel saw them: SIPp itself counts in ticks of 4 ms, too coarse for this.

dumpcap (package tshark) writes the loopback traffic of two ports to a file; it is read after the run. A call has two
sides with different Call-IDs, so they are joined by the number that was dialled, another one for every call.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NUMBER = re.compile(rb"^INVITE sip:(\+?\d+)@")
_CALL_ID = re.compile(rb"\r\nCall-ID: *([^\r\n]+)", re.IGNORECASE)
_CSEQ_INVITE = re.compile(rb"\r\nCSeq: *\d+ +INVITE", re.IGNORECASE)


@dataclass(slots=True)
class Moments:
    """Of one call, in seconds: None where it did not happen."""

    invited: float | None = None  # the phone's authenticated INVITE
    rang: float | None = None  # 180 or 183 at the phone
    far_invited: float | None = None
    far_answered: float | None = None  # the far end's 200
    answered: float | None = None  # 200 at the phone
    refused: float | None = None  # any other final answer at the phone

    @property
    def post_dial_ms(self) -> float | None:
        return None if self.invited is None or self.rang is None else (self.rang - self.invited) * 1000

    @property
    def answer_ms(self) -> float | None:
        if self.far_answered is None or self.answered is None:
            return None
        return (self.answered - self.far_answered) * 1000


class Capture:
    """``async with Capture(file, phone_port, far_port) as capture: …``, then ``capture.calls()``."""

    def __init__(self, path: Path, phone_port: int, far_port: int) -> None:
        self._path, self._phone, self._far = path, phone_port, far_port
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Capture:
        dumpcap = shutil.which("dumpcap")
        if dumpcap is None:
            raise RuntimeError("dumpcap is missing. Install it: apt-get install tshark")
        self._process = await asyncio.create_subprocess_exec(
            *(dumpcap, "-i", "lo", "-P", "-q", "-B", "64", "-w", str(self._path)),
            *("-f", f"udp port {self._phone} or udp port {self._far}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.sleep(1.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        await asyncio.sleep(0.3)
        self._process.send_signal(signal.SIGINT)
        await asyncio.wait_for(self._process.wait(), 10)

    def calls(self) -> dict[bytes, Moments]:
        """By the number dialled."""
        found: dict[bytes, Moments] = {}
        number_of: dict[bytes, bytes] = {}
        for at, source, target, payload in _packets(self._path):
            self._take(found, number_of, at, source, target, payload)
        return found

    def _take(
        self,
        found: dict[bytes, Moments],
        number_of: dict[bytes, bytes],
        at: float,
        source: int,
        target: int,
        text: bytes,
    ) -> None:
        call_id = _CALL_ID.search(text)
        if call_id is None or not _CSEQ_INVITE.search(text):
            return
        invite = _NUMBER.match(text)
        if invite is not None:
            number_of[call_id[1]] = invite[1]
            moments = found.setdefault(invite[1], Moments())
            if source == self._phone and b"\r\nAuthorization:" in text:
                moments.invited = moments.invited or at
            elif target == self._far:
                moments.far_invited = moments.far_invited or at
            return
        number = number_of.get(call_id[1])
        if number is not None and text.startswith(b"SIP/2.0 "):
            self._answer(found[number], int(text[8:11]), at, source, target)

    def _answer(self, moments: Moments, status: int, at: float, source: int, target: int) -> None:
        if source == self._far and status == 200:
            moments.far_answered = moments.far_answered or at
        elif target == self._phone:
            if status in (180, 183):
                moments.rang = moments.rang or at
            elif status == 200:
                moments.answered = moments.answered or at
            elif status >= 300 and status != 401:
                moments.refused = moments.refused or at


def _packets(path: Path) -> Iterator[tuple[float, int, int, bytes]]:
    """(seconds, source port, target port, payload) of each UDP datagram over IPv4 in a pcap file of loopback."""
    data = path.read_bytes()
    scale = 1e-9 if data[:4] in (b"\x4d\x3c\xb2\xa1",) else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        header = 14 + (frame[14] & 15) * 4 if len(frame) > 34 else 0
        if not header or frame[23] != 17:
            continue
        source, target = struct.unpack_from(">HH", frame, header)
        yield seconds + fraction * scale, source, target, frame[header + 8 :]
