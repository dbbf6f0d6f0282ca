"""Is this Asterisk sound? Tells whether it loses audio when an RTP source restarts behind.

A caller sends one tone, then restarts its RTP stream: new source id, and a sequence number that is behind the old
one, as half of all restarts are (unhold, early media to answer, handover). The call is recorded, and transcoded to
another codec and back. An Asterisk with Debian's ``opus_plc`` patch drops every packet of the restarted stream, for
minutes: measured 0 % where our build has 100 %.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.instance import Instance
from pbx.adapters.asterisk.layout import TEMPLATES, Layout
from pbx.adapters.asterisk.selftest_caller import FRAME, RATE_HZ, Caller, from_ulaw

FIRST_HZ, SECOND_HZ = 500, 900
_TONE_S = 2.0
_SETTLE_S = 0.4  # jitter buffers and the turn from one tone to the next are not judged
SOUND_FROM = 0.9  # share of the restarted stream that must arrive

_SHARED = ("asterisk", "logger", "indications", "features", "cdr", "cel", "stasis", "acl", "udptl", "ccss", "pjproject")

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``recorded``, ``heard``: shares (0 to 1) of the restarted stream in the recording and after transcoding."""

    recorded: float
    heard: float
    took_s: float

    @property
    def sound(self) -> bool:
        return min(self.recorded, self.heard) >= SOUND_FROM

    @property
    def sentence(self) -> str:
        figures = f"{self.recorded:.0%} recorded and {self.heard:.0%} heard through another codec"
        if self.sound:
            return f"Sound: of an RTP stream that restarts behind, {figures}."
        return f"Faulty: of an RTP stream that restarts behind, only {figures}; calls and recordings would lose sound."


async def self_test(prefix: Path) -> Verdict:
    """Run an Asterisk of its own for some six seconds and measure. Raises BuildError where it cannot be tested."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="switchhook-selftest-") as folder:
        asterisk = _SelfTestAsterisk(prefix, Path(folder))
        await asterisk.start()
        try:
            heard = await _call(asterisk.port)
        finally:
            await asterisk.stop()
        recording = asterisk.layout.base / "spool/monitor/selftest-in.wav"
        recorded = await asyncio.to_thread(_read, recording)
    return Verdict(share(recorded), share(heard), time.monotonic() - started)


def share(samples: Samples) -> float:
    """How much of its time the second tone is there, by frames of 20 ms in which it must stand out."""
    frames = len(samples) // FRAME
    strength = [_strength(samples[i * FRAME : (i + 1) * FRAME], SECOND_HZ) for i in range(frames)]
    wanted = (_TONE_S - _SETTLE_S) * RATE_HZ / FRAME
    return min(1.0, sum(value > 0.5 for value in strength) / wanted)


def _strength(frame: Samples, hz: int) -> float:
    """The part of a frame's power that lies on one frequency; 0 for silence."""
    power = float(np.mean(frame**2))
    if power < 1e-5:
        return 0.0
    turn = np.exp(-2j * np.pi * hz * np.arange(len(frame)) / RATE_HZ)
    return float(2 * abs(np.mean(frame * turn)) ** 2 / power)


async def _call(port: int) -> Samples:
    caller = await Caller.connect(port)
    try:
        behind = random.randrange(3000, 25000)
        first = random.randrange(30000, 60000)
        await caller.play(FIRST_HZ, _TONE_S, sequence=first)
        await caller.play(SECOND_HZ, _TONE_S, sequence=first - behind)
        return from_ulaw(bytes(caller.heard))
    finally:
        await caller.hang_up()


def _read(path: Path) -> Samples:
    if not path.exists():
        raise BuildError("The self-test's call was not recorded: this Asterisk cannot be judged, and is not used.")
    samples, _ = soundfile.read(path)
    return np.asarray(samples, dtype=np.float64)


class _SelfTestAsterisk(Instance):
    name = "The self-test's Asterisk"

    def __init__(self, prefix: Path, folder: Path) -> None:
        super().__init__(prefix, Layout(folder))
        self.port = random.randrange(20000, 30000)
        self._rtp = random.randrange(40000, 60000, 100)

    def values(self) -> Mapping[str, str]:
        rtp = {"rtp_start": str(self._rtp), "rtp_end": str(self._rtp + 99), "ice": ""}
        return {"language": "en", "sip_port": str(self.port), **rtp}

    def templates(self) -> list[Path]:
        own = ("modules", "manager", "pjsip")
        shared = [TEMPLATES / f"{name}.conf" for name in (*_SHARED, "rtp")]
        return [*shared, TEMPLATES / "practice/http.conf", *(TEMPLATES / f"selftest/{name}.conf" for name in own)]

    def dialplans(self) -> list[Path]:
        return [TEMPLATES / "selftest/extensions.conf"]

    def ports(self) -> list[tuple[str, str, int, str]]:
        return [("udp", "127.0.0.1", self.port, "sip_port")]
