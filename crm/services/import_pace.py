"""How many lines an import writes at once, so that nobody who writes beside it is kept waiting.

SQLite has one writer at a time, and who waits is in no queue: its busy handler asks again after 1, 2, 5, 10, 15, 20 and
three times 25 ms, then after 50 and 100 ms. An import that begins its next transaction as soon as the last one has
ended holds the lock nearly always, and others find it held for seconds. So transactions are short, and whenever the
lock was held for some time it is left alone for longer than a fresh waiter sleeps. PostgreSQL locks rows: there a batch
is written as it comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

HELD_S = 0.05
LEFT_ALONE_S = 0.026
FIRST, FEWEST, MOST = 50, 20, 500


class Pace:
    """``at_once`` is the number of lines for the next transaction."""

    def __init__(self, *, one_writer: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_once = FIRST if one_writer else MOST
        self._one_writer, self._clock = one_writer, clock
        self._held_s = 0.0

    @asynccontextmanager
    async def writing(self, lines: int) -> AsyncIterator[None]:
        """Around a transaction that writes so many lines."""
        began = self._clock()
        yield
        if self._one_writer and self.took(lines, self._clock() - began):
            await asyncio.sleep(LEFT_ALONE_S)

    def took(self, lines: int, seconds: float) -> bool:
        """Go by the last transaction, to at most twice its lines: one that was quick by chance must not make the next
        one long. Says whether others have waited for long enough."""
        fitting = int(lines * HELD_S / max(seconds, 0.001))
        self.at_once = max(FEWEST, min(fitting, 2 * lines, MOST))
        self._held_s += seconds
        due = self._held_s >= HELD_S / 2
        if due:
            self._held_s = 0.0
        return due
