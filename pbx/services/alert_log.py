"""Writes down when alerts begin and end, so that webhooks are told of them (A5)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from crm.errors import Refused
from crm.services import alert_log
from crm.services.alert_log import Change
from crm.unit_of_work import ENGINE, Store
from pbx.services.alerts import MOST, Alert

log = structlog.get_logger("alert_log")

RETRY_S = 1.0
REST_S = 0.2
"""Between two transactions: of many alerts in one moment, as in an attack, one takes all."""
TIDY_EVERY_S = 24 * 3600.0


class AlertLog:
    """One of the watchers of :class:`pbx.services.alerts.Alerts`. What the store cannot take now waits here: that it is
    away is itself an alert. Only the newest wait, as one that flutters meanwhile must not fill the memory."""

    def __init__(self, store: Store, engine: str) -> None:
        self._store, self._engine = store, engine
        self._waiting: deque[Change] = deque(maxlen=MOST)
        self._due = asyncio.Event()

    def changed(self, alert: Alert, stands: bool) -> None:
        at_us = int(alert.since_us) if stands else self._store.clock()
        self._waiting.append(Change(stands, alert.kind.value, alert.subject, alert.sentence, at_us, alert.data))
        self._due.set()

    async def run(self) -> None:
        """For as long as the engine runs."""
        await self._until_done(self._begin)
        while True:
            try:
                async with asyncio.timeout(TIDY_EVERY_S):
                    await self._due.wait()
            except TimeoutError:
                await self._until_done(self._forget)
                continue
            self._due.clear()
            await self._until_done(self.write)
            await asyncio.sleep(REST_S)

    async def write(self) -> None:
        """All that waits, in one transaction."""
        changes = list(self._waiting)
        if not changes:
            return
        async with self._store.write(ENGINE) as work:
            await alert_log.note(work, self._engine, changes)
        for each in changes:
            if self._waiting and self._waiting[0] is each:
                self._waiting.popleft()

    async def _begin(self) -> None:
        async with self._store.write(ENGINE) as work:
            await alert_log.begin(work, self._engine)
            await alert_log.forget(work)

    async def _forget(self) -> None:
        async with self._store.write(ENGINE) as work:
            await alert_log.forget(work)

    async def _until_done(self, what: Callable[[], Awaitable[None]]) -> None:
        """However long the store is away."""
        while True:
            try:
                return await what()
            except Refused as refused:
                log.warning("alert_log.store_away", why=refused.message)
            except Exception:
                log.exception("alert_log.not_written")
            await asyncio.sleep(RETRY_S)
