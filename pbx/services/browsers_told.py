"""Tells a switch that has forgotten them of every browser's phone, beside the calls: those cannot wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from crm.directory import Directory

log = structlog.get_logger("browsers")

RETRY_S = 1.0


class BrowsersTold:
    """``tell`` raises one of ``away`` where the switch does not answer. Browsers connect again once all are told."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        tell: Callable[[Directory], Awaitable[None]],
        away: tuple[type[Exception], ...],
    ) -> None:
        self._directory = directory
        self._tell = tell
        self._away = away
        self._task: asyncio.Task[None] | None = None
        self.all = False

    def begin(self) -> None:
        """From the start: the switch knows none."""
        self.all = False
        self.stop()
        self._task = asyncio.ensure_future(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while not self.all:
            told = self._directory()
            try:
                await self._tell(told)
                self.all = told is self._directory()
            except self._away as error:
                log.warning("browsers.not_told", why=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_S)
