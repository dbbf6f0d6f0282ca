"""The time, and things to do later, from the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pbx.core.ids import Instant


class LoopClock:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    def later(self, delay_s: float, run: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(delay_s, run).cancel

    def soon(self, run: Callable[[], None]) -> None:
        self._loop.call_soon(run)
