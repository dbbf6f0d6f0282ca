"""Reminds people of what they wanted to do: one timer, set to the next reminder that stands in the store (S5).

A reminder whose moment came while no engine ran is given at the start. Each is given once: the store says so before
anybody is told.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from crm.errors import Refused
from crm.records import as_dict
from crm.services import tasks
from crm.unit_of_work import ENGINE, Store
from pbx.services.hub import Hub

log = structlog.get_logger("reminders")

LOOK_EVERY_S = 1.0
"""Tasks may be made by others than this engine; a look reads one entry of an index."""
RETRY_S = 2.0


class Reminders:
    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """There is another task, or one is due at another moment."""
        self._changed.set()

    async def run(self) -> None:
        """Remind for as long as the engine runs."""
        while True:
            self._changed.clear()
            wait_s = await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def _look(self) -> float:
        """Give what is due; the seconds until the next look."""
        try:
            async with self._store.read() as session:
                next_us = await tasks.next_reminder(session)
            if next_us is None:
                return LOOK_EVERY_S
            wait_s = (next_us - self._store.clock()) / 1e6
            if wait_s > 0:
                return min(wait_s, LOOK_EVERY_S)
            await self._remind()
        except Refused as error:
            log.warning("reminders.store_away", why=error.message)
            return RETRY_S
        except Exception:
            log.exception("reminders.not_given")
            return RETRY_S
        return 0.0

    async def _remind(self) -> None:
        async with self._store.write(ENGINE) as work:
            due = await tasks.take_reminders(work)
        for task in due:
            self._hub.task_changed(task.user_id, task.id, as_dict(task))
            self._hub.remind(task.user_id, as_dict(task))
