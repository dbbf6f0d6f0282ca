"""Whether the switch can take another call: beyond its limit ARI does not slow down, it collapses.

Measured: bare ARI at 130 calls/s on two cores goes from 6 ms to seconds of delay, and leaks channels. So new calls are
refused at once while Asterisk's answers lag; those that are up are not touched.
"""

from __future__ import annotations

from collections.abc import Callable

LAG_LIMIT_S = 0.040
LAG_CLEAR_S = 0.020


class Admission:
    """``lag`` is the mean round trip to Asterisk lately; a refusal lasts until it has halved."""

    def __init__(self, lag: Callable[[], float], calls: Callable[[], int]) -> None:
        self._lag = lag
        self._calls = calls
        self._closed = False

    def overloaded(self) -> bool:
        lag = self._lag()
        if self._closed:
            self._closed = lag > LAG_CLEAR_S and self._calls() > 0
        else:
            self._closed = lag > LAG_LIMIT_S
        return self._closed
