"""Whether the switch can take another call: beyond its limit ARI does not slow down, it collapses.

Measured: bare ARI at 130 calls/s on two cores goes from 6 ms to seconds of delay, and leaks channels. So in a rush new
calls are refused at once while Asterisk's answers lag; those that are up are not touched. Where few calls come, a lag
is a moment of the machine and no overload: they are served a little later, and nobody is refused for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant

LAG_LIMIT_S = 0.040  # in a rush
QUIET_LAG_LIMIT_S = 0.5
RUSH = 30  # calls that began within
RUSH_US = 1_000_000


class Admission:
    """An observer of the calls. ``lag`` is the mean round trip to Asterisk lately; a refusal lasts until it has
    halved."""

    def __init__(self, lag: Callable[[], float], calls: Callable[[], int], now: Callable[[], Instant]) -> None:
        self._lag = lag
        self._calls = calls
        self._now = now
        self._begun: deque[Instant] = deque(maxlen=RUSH)
        self._closed = False

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        if facts[0][0] == 1:
            self._begun.append(facts[0][1].at)

    def overloaded(self) -> bool:
        limit = LAG_LIMIT_S if self._rush() else QUIET_LAG_LIMIT_S
        if self._closed:
            self._closed = self._lag() > limit / 2 and self._calls() > 0
        else:
            self._closed = self._lag() > limit
        return self._closed

    def _rush(self) -> bool:
        return len(self._begun) == RUSH and self._begun[0] > self._now() - RUSH_US
