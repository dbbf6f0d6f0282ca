"""Waiting with a deadline for what a test cannot await directly, in seconds that a busy machine does not shorten.

Other tests run beside, and people's machines have other things to do. Linux counts how long some process stood waiting
for a processor (pressure stall information); that time is taken off, down to a quarter. On a machine with nothing else
to do, and where nothing is counted, a second is the clock's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PRESSURE = Path("/proc/pressure/cpu")
TURNS = 50
SLOWEST = 4.0  # so that what never happens is told within a minute


class Missed(AssertionError):
    """Something that a test waited for did not happen; the text says what, and what happened instead."""


def _waited_for_processors() -> float:
    """Seconds since the machine began, in which some process stood waiting for a processor."""
    try:
        some = PRESSURE.read_text().split("\n", 1)[0]
        return int(some.partition("total=")[2]) / 1e6
    except (OSError, ValueError):
        return 0.0


class Stopwatch:
    """``passed`` are the clock's seconds, ``granted`` those in which the machine could work on what is measured."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), _waited_for_processors()

    @property
    def passed(self) -> float:
        return time.monotonic() - self._began

    @property
    def granted(self) -> float:
        passed = self.passed
        return max(passed / SLOWEST, passed - (_waited_for_processors() - self._waited))

    @property
    def slowness(self) -> float:
        """By how much something else may have measured too much: 1 on a machine with nothing else to do."""
        return self.passed / max(self.granted, 1e-6)


class Deadline:
    """``within`` seconds from now."""

    def __init__(self, within: float) -> None:
        self._within, self._watch = within, Stopwatch()

    @property
    def left(self) -> float:
        """Zero or less: it is over."""
        left = self._within - self._watch.passed
        return left if left > 0 else self._within - self._watch.granted

    @property
    def over(self) -> bool:
        return self.left <= 0


class Signal:
    """Wakes whoever waits for a condition when something has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def until(
        self, condition: Callable[[], T], within: float, missed: Callable[[], str], every: float = 0.5
    ) -> T:
        """The condition's first true value. Raises Missed after `within` seconds.

        The condition is looked at on every `fire()` and at least each `every` seconds; a last time when the loop has
        done what was due by then: where it was held up for long, a deadline and what it waits for are due together.
        """
        deadline = Deadline(within)
        while not (value := condition()):
            if (left := deadline.left) <= 0:
                return await self._last_look(condition, missed)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            await asyncio.wait([future], timeout=min(left, every))
        return value

    async def _last_look(self, condition: Callable[[], T], missed: Callable[[], str]) -> T:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if value := condition():
            return value
        raise Missed(missed())


async def until(condition: Callable[[], T], within: float, what: str, every: float = 0.02) -> T:
    """Poll any condition: `await until(lambda: file.exists(), within=2, what="the recording's file")`."""
    return await Signal().until(condition, within, lambda: f"Not within {within:g} s: {what}", every)


async def in_time(work: Awaitable[T], within: float) -> T:
    """The result of what can be awaited; Missed, and the end of it, where it takes longer."""
    task, deadline = asyncio.ensure_future(work), Deadline(within)
    while not task.done():
        if (left := deadline.left) <= 0:
            task.cancel()
            raise Missed(f"Not within {within:g} s: {work}")
        await asyncio.wait([task], timeout=left)
    return task.result()
