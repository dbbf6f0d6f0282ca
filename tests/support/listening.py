"""What one party of a call hears, asked in the words of a test."""

from __future__ import annotations

import asyncio
import time

from tests.support.rtp import Ear
from tests.support.tones import Samples, has_tone, is_silent, tones_in
from tests.support.waiting import Missed, Signal

LISTEN_S = 0.4


class Listening:
    """Questions to an ear. Moments are time.monotonic()."""

    ear: Ear
    signal: Signal

    def _missed(self, what: str) -> Missed:
        raise NotImplementedError

    def heard(self, last: float = LISTEN_S) -> Samples:
        """What arrived in the last seconds, as samples at 8000 Hz."""
        now = time.monotonic()
        return self.heard_between(now - last, now)

    def heard_between(self, start: float, end: float) -> Samples:
        """What arrived between two moments of time.monotonic()."""
        return self.ear.between(start, end)

    def hears(self, hz: float, within: float = LISTEN_S) -> bool:
        """Whether the tone sounded during most of the last `within` seconds."""
        return has_tone(self.heard(within), hz)

    def tones(self, known: list[float], last: float = 1.0) -> set[float]:
        """Which of the known tones sounded in the last seconds."""
        return tones_in(self.heard(last), known)

    async def until_hears(self, hz: float, within: float = 3) -> float:
        """Wait for the tone; returns the moment at which it was recognised (about 0.3 s after its start)."""
        await self.signal.until(
            lambda: self.hears(hz), within, lambda: str(self._missed(f"the tone {hz:g} Hz, {within:g} s")), 0.04
        )
        return time.monotonic()

    async def until_silence(self, within: float = 3, lasting: float = LISTEN_S) -> float:
        """Wait until nothing at all has been heard for `lasting` seconds."""
        await self.signal.until(
            lambda: is_silent(self.heard(lasting)), within, lambda: str(self._missed("silence")), 0.04
        )
        return time.monotonic()

    async def until_stops_hearing(self, hz: float, within: float = 3) -> float:
        """Wait until the tone has gone."""
        await self.signal.until(
            lambda: not tones_in(self.heard(LISTEN_S), [hz]),
            within,
            lambda: str(self._missed(f"the end of the tone {hz:g} Hz, {within:g} s")),
            0.04,
        )
        return time.monotonic()

    async def listen(self, seconds: float) -> Samples:
        """The sound of the coming seconds."""
        start = time.monotonic()
        await asyncio.sleep(seconds)
        return self.heard_between(start, start + seconds)

    def heard_silence_between(self, start: float, end: float) -> bool:
        return is_silent(self.heard_between(start, end))
