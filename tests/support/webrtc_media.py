"""The media of one call of a test browser: ICE, DTLS-SRTP and Opus by aiortc, a tone to speak, an ear that keeps all.

Everything stays on 127.0.0.1. ICE never offers that address by itself, so this side is told to, and of what Asterisk
offers only the port is used: its socket listens on every address, this one too.
"""

from __future__ import annotations

import asyncio
import fractions
import re
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from aioice.ice import get_host_addresses
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpsender import RTCRtpSender
from av import AudioFrame, AudioResampler

from tests.support.tones import RATE, Samples

MIC_RATE, FRAME = 48_000, 960
LEVEL = 0.3
JUMP_S = 0.15
LOOPBACK = "127.0.0.1"


def why_not() -> str:
    """Why there can be no media on this machine; empty where there can."""
    if get_host_addresses(use_ipv4=True, use_ipv6=False):
        return ""
    return "Asterisk offers no ICE candidate where 127.0.0.1 is the only address: give this machine another one."


class Tone(MediaStreamTrack):
    """A microphone that hears one steady tone; None is silence. Frames come when they are due, as from a sound card."""

    kind = "audio"

    def __init__(self, hz: float | None) -> None:
        super().__init__()
        self.hz = hz
        self._sent = 0
        self._began = 0.0

    async def recv(self) -> AudioFrame:
        self._began = self._began or time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._sent / MIC_RATE - time.monotonic()))
        times = (self._sent + np.arange(FRAME)) / MIC_RATE
        sound = LEVEL * np.sin(2 * np.pi * (self.hz or 0) * times)
        frame = AudioFrame.from_ndarray((sound * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = MIC_RATE, self._sent, fractions.Fraction(1, MIC_RATE)
        self._sent += FRAME
        return frame


class OpusEar:
    """What came out of the decoder, at the moments at which it arrived; what did not come is silence."""

    def __init__(self, on_sound: Callable[[], None]) -> None:
        self._on_sound = on_sound
        self._resampler = AudioResampler("s16", "mono", RATE)
        self._pieces: list[tuple[float, Samples]] = []
        self._next = 0.0

    @property
    def packets(self) -> int:
        return len(self._pieces)

    def receive(self, frame: AudioFrame) -> None:
        now = time.monotonic()
        for piece in self._resampler.resample(frame):
            samples = piece.to_ndarray()[0].astype(np.float64) / 32768
            at = self._next if abs(self._next - now) < JUMP_S else now
            self._pieces.append((at, samples))
            self._next = at + len(samples) / RATE
        self._on_sound()

    def between(self, start: float, end: float) -> Samples:
        sound = np.zeros(max(0, round((end - start) * RATE)))
        for at, samples in self._pieces:
            offset = round((at - start) * RATE)
            kept = samples[max(0, -offset) :]
            offset = max(0, offset)
            room = len(sound) - offset
            if room > 0 and len(kept):
                sound[offset : offset + len(kept)] = kept[:room]
        return sound


class Media:
    """One peer connection. ``offer``/``take`` for a call we make, ``take``/``answer`` for one that comes."""

    def __init__(self, tone: float | None, on_sound: Callable[[], None]) -> None:
        self.tone = Tone(tone)
        self.ear = OpusEar(on_sound)
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._sender: RTCRtpSender | None = None
        self._listening: set[asyncio.Task[None]] = set()
        self._connection.on("track", self._heard)

    @property
    def state(self) -> str:
        return str(self._connection.connectionState)

    @property
    def codec(self) -> str:
        """The name of what both sides speak: the first that the answer holds."""
        ours, theirs = self._connection.localDescription, self._connection.remoteDescription
        answer = (ours if ours.type == "answer" else theirs).sdp
        first = re.search(r"^m=audio \d+ \S+ (\d+)", answer, re.MULTILINE)
        assert first, answer
        name = re.search(rf"^a=rtpmap:{first[1]} ([\w-]+)/", answer, re.MULTILINE)
        return name[1] if name else ""

    @property
    def described(self) -> bytes:
        """Ours, as it was sent last."""
        return str(self._connection.localDescription.sdp).encode()

    async def offer(self) -> bytes:
        self._sender = self._connection.addTrack(self.tone)
        return await self._described(await self._connection.createOffer())

    async def answer(self) -> bytes:
        self._sender = self._connection.addTrack(self.tone)
        return await self._described(await self._connection.createAnswer())

    async def take(self, sdp: bytes, kind: str) -> None:
        """The other side's description; again and again is no harm."""
        if self._connection.remoteDescription is None or self._connection.signalingState != "stable":
            await self._connection.setRemoteDescription(RTCSessionDescription(_on_loopback(sdp.decode()), kind))

    async def close(self) -> None:
        await self._connection.close()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)

    async def _described(self, description: Any) -> bytes:
        """Ours, complete with candidates: it is made whole before it is sent (no trickling)."""
        with mock.patch("aioice.ice.get_host_addresses", lambda *_, **__: [LOOPBACK]):
            await self._connection.setLocalDescription(description)
        return self.described

    def _heard(self, track: MediaStreamTrack) -> None:
        async def listen() -> None:
            while True:
                self.ear.receive(await track.recv())

        self._listening.add(asyncio.ensure_future(listen()))


def _on_loopback(sdp: str) -> str:
    port = re.search(r"^m=audio (\d+) ", sdp, re.MULTILINE)
    lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
    if port:
        lines.append(f"a=candidate:1 1 udp 2130706431 {LOOPBACK} {port[1]} typ host")
    return "\r\n".join(lines) + "\r\n"
