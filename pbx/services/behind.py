"""How long the work behind the calls rests between its rounds: calls run in the same loop, and come first."""

from __future__ import annotations

import asyncio
import time

SHARE = 1 / 40
"""Of the time, for each kind of work."""


class Round:
    """``async with Round(most_s): …`` rests after the work, the longer the more there was, ``most_s`` at most.

    What comes meanwhile is done in one round, which costs little more than one for a single call.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._began = 0.0

    async def __aenter__(self) -> None:
        self._began = time.monotonic()

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            await asyncio.sleep(min(self._most_s, (time.monotonic() - self._began) / SHARE))
