"""Whether the switch can take another call: beyond its limit ARI does not slow down, it collapses.

Measured: bare ARI at 130 calls/s on two cores goes from 6 ms to seconds of delay, and leaks channels. So in a rush new
calls are refused at once while Asterisk's answers lag; those that are up are not touched. Where few calls come, a lag
is a moment of the machine and no overload: they are served a little later, and nobody is refused for it.

A refusal by the engine costs the better part of what a call costs. So our module in Asterisk refuses those that come by
SIP before they cost anything (``embedded/sources/res_switchhook_admission.c``). Where it is not there, in a rush that
goes on, a share of the new calls is refused by the dialplan alone: the share is found as TCP finds its rate (RFC 5681),
by taking much less as soon as the answers lag, and a little more while they do not, the less the nearer to where they
last lagged (RFC 9438).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant

LAG_LIMIT_S = 0.040  # in a rush
QUIET_LAG_LIMIT_S = 0.5
RUSH = 30  # calls that began within
RUSH_US = 1_000_000

STEP_S = 0.1
LAG_AIM_S = 0.015  # where a share is refused already, so that those who are let through wait for nobody
LESS = 0.7  # of what was let through, where answers lag
REST = 4  # steps until less of it can be seen
MORE = 0.02  # of all that come, each step in which they do not lag
MORE_IN_QUIET = 0.2  # where few call
NEAR = 0.8  # of where they last lagged: from there a tenth as much
LEAST = 0.05
TOLD_FOR_S = 3  # the share ends with an engine that has gone; one that has not tells it again before
TELL_EVERY = 10  # steps


class Admission:
    """An observer of the calls. ``lag`` is the mean round trip to Asterisk lately; a refusal lasts until it has
    halved."""

    def __init__(
        self,
        lag: Callable[[], float],
        calls: Callable[[], int],
        now: Callable[[], Instant],
        shed: Callable[[int, int], None],
    ) -> None:
        """``shed(percent, seconds)`` has the dialplan refuse so many of the new calls, for so long."""
        self._lag = lag
        self._calls = calls
        self._now = now
        self._begun: deque[Instant] = deque(maxlen=RUSH)
        self._closed = False
        self._share = Share(shed)
        self.switch_refuses = False  # by itself, as our module in Asterisk does: then the dialplan need not

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

    def turns_away(self) -> bool:
        """Of calls that come by SIP. Who was let in by a switch that refuses by itself has waited for it already, and
        a refusal now would come late: only for what is no moment any more."""
        return self._lag() > QUIET_LAG_LIMIT_S if self.switch_refuses else self.overloaded()

    @property
    def shedding(self) -> bool:
        """Whether the dialplan refuses some of the new calls."""
        return self._share.let_through < 1

    async def run(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            self.step()

    def step(self) -> None:
        """Find anew which share of the new calls the dialplan lets through."""
        if self.switch_refuses:
            return
        lag = self._lag() if self._calls() else 0.0
        limit = LAG_AIM_S if self.shedding else LAG_LIMIT_S
        if not self._rush():
            self._share.reopen()
        elif lag > limit:
            self._share.less()
        elif lag < LAG_AIM_S / 2:
            self._share.more()
        self._share.tell()

    def _rush(self) -> bool:
        """Whether many come: those who were refused before they came here as well."""
        since = self._now() - RUSH_US
        return sum(begun > since for begun in self._begun) >= RUSH * self._share.let_through


class Share:
    """Which share of the new calls is let through, found in steps, and told."""

    def __init__(self, shed: Callable[[int, int], None]) -> None:
        self.let_through = 1.0
        self._shed = shed
        self._lagged_at = 1.0
        self._rest = 0  # steps
        self._told, self._untold = 1.0, 0

    def less(self) -> None:
        if not self._rest:
            self._lagged_at, self._rest = self.let_through, REST
            self.let_through = max(LEAST, self.let_through * LESS)

    def more(self) -> None:
        near = self._lagged_at * NEAR <= self.let_through < self._lagged_at
        self.let_through = min(1.0, self.let_through + (MORE / 10 if near else MORE))

    def reopen(self) -> None:
        """Few call: whatever lags, it is not for their number."""
        self.let_through = min(1.0, self.let_through + MORE_IN_QUIET)

    def tell(self) -> None:
        """After each step: what has changed, or would soon be forgotten."""
        self._rest = max(0, self._rest - 1)
        self._untold += 1
        if self.let_through != self._told or (self.let_through < 1 and self._untold >= TELL_EVERY):
            self._told, self._untold = self.let_through, 0
            self._shed(round(100 * (1 - self.let_through)), TOLD_FOR_S)
