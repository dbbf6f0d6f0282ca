"""Waiting with a deadline, for things that a test cannot await directly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Missed(AssertionError):
    """Something that a test waited for did not happen; the text says what, and what happened instead."""


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

        The condition is looked at on every `fire()` and at least each `every` seconds.
        """
        deadline = time.monotonic() + within
        while not (value := condition()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise Missed(missed())
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            await asyncio.wait([future], timeout=min(left, every))
        return value


async def until(condition: Callable[[], T], within: float, what: str, every: float = 0.02) -> T:
    """Poll any condition: `await until(lambda: file.exists(), within=2, what="the recording's file")`."""
    return await Signal().until(condition, within, lambda: f"Not within {within:g} s: {what}", every)
