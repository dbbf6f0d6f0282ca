"""Changes that calls depend on, from their commit until calls go by them (A2): whoever reads “saved” and calls at once
is served by what was saved."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar

LONGEST_S = 2.0
"""So long an answer waits for its change. A switch that takes longer to be told, or a database that went away, is no
reason to leave anybody without an answer: what was committed is taken in with the next look."""


class Changes:
    """Those made in this process are counted; a look at the store covers all that were made before it began."""

    def __init__(self) -> None:
        self._made = self._covered = 0
        self._news, self._looked = asyncio.Event(), asyncio.Event()
        self._mine: ContextVar[int] = ContextVar("change", default=0)

    def made(self) -> None:
        """Something was committed; called in the context of whoever did."""
        self._made += 1
        self._mine.set(self._made)
        self._news.set()

    async def come(self, within_s: float) -> int:
        """Wait for a change, or for so many seconds; gives the newest, for :meth:`looked`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        self._news.clear()
        return self._made

    def looked(self, newest: int) -> None:
        """What was made up to here is in effect, or cannot be now."""
        self._covered = newest
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    async def in_effect(self) -> None:
        """Return once calls go by what was changed in this context; at once where nothing was."""
        mine = self._mine.get()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                while self._covered < mine:
                    await self._looked.wait()
