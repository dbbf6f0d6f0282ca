"""Asterisk's own logs stay small: it appends to them for as long as it runs, and guessers write many lines a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from pathlib import Path

import structlog

from pbx.adapters.asterisk.embedded.errors import BuildError

log = structlog.get_logger("asterisk")

LIMIT = 20_000_000  # bytes
KEPT = 5
LOOK_EVERY_S = 60.0
STAY = ("console.log", "ended.log")
"""While Asterisk runs: the first is not opened anew when the others are, the second is read and cut by the engine."""


class LogFiles:
    """The files ``*.log`` in a folder; older ones are ``*.log.1`` to ``*.log.5``, the last of them is let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._to_reopen = False

    def move_large(self, but: Container[str] = ()) -> bool:
        """Each that is larger than `LIMIT` takes its next name; tells whether there was one."""
        large = [path for path in self._folder.glob("*.log") if path.name not in but and path.stat().st_size > LIMIT]
        for path in large:
            for number in range(KEPT - 1, 0, -1):
                older = path.with_name(f"{path.name}.{number}")
                if older.exists():
                    older.replace(path.with_name(f"{path.name}.{number + 1}"))
            path.replace(path.with_name(f"{path.name}.1"))
        return bool(large)

    async def keep(self, reopen: Callable[[], Awaitable[object]]) -> None:
        """For ever. ``reopen`` makes Asterisk open its logs anew (``logger reload``): until then it writes on to the
        files that were moved, so that no line is lost."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self._to_reopen |= await asyncio.to_thread(self.move_large, STAY)
                if self._to_reopen:
                    await reopen()
                    self._to_reopen = False
            except (OSError, BuildError) as error:
                log.warning("asterisk.logs_not_kept", why=str(error))
