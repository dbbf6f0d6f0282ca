"""Whether the switch can take another call: beyond its limit ARI does not slow down, it collapses.

Measured: bare ARI at 130 calls/s on two cores goes from 6 ms to seconds of delay, and leaks channels. So new calls are
refused at once while Asterisk's answers lag; those that are up are not touched. A burst on a quiet system, when a
shift begins or a door opens, is no overload: it is served a little later, and nobody is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant

LAG_LIMIT_S = 0.040
LAG_CLEAR_S = 0.020
BURST = 100
WINDOW_US = 10_000_000


class Admission:
    """An observer of the calls. ``lag`` is the mean round trip to Asterisk lately; a refusal lasts until it has halved,
    or until fewer calls than a burst have begun within the window."""

    def __init__(self, lag: Callable[[], float], calls: Callable[[], int], now: Callable[[], Instant]) -> None:
        self._lag = lag
        self._calls = calls
        self._now = now
        self._begun: deque[Instant] = deque(maxlen=BURST)
        self._closed = False

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        if facts[0][0] == 1:
            self._begun.append(facts[0][1].at)

    def overloaded(self) -> bool:
        lag = self._lag()
        if self._closed:
            self._closed = lag > LAG_CLEAR_S and self._calls() > 0 and self._busy()
        else:
            self._closed = lag > LAG_LIMIT_S and self._busy()
        return self._closed

    def _busy(self) -> bool:
        return len(self._begun) == BURST and self._begun[0] > self._now() - WINDOW_US
