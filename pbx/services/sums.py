"""Keeps the sums of reports true while the engine runs (R3): behind the log, never in a call's way.

What is to be added stands in the store, written by whoever changed it, also on the command line or on another node. So
the store is asked about it, and nobody has to tell.
"""

from __future__ import annotations

import asyncio

import structlog

from crm.errors import Refused
from crm.services import sums
from crm.unit_of_work import ENGINE, Store
from pbx.services.behind import Round

log = structlog.get_logger("sums")

LOOK_S, RETRY_S = 1.0, 5.0
LONGEST_REST_S = 3.0
REST_S = 0.05
"""Between two parts: whoever writes a call down meanwhile waits for one of them at most."""


class Sums:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Add what there is to add, for as long as the engine runs."""
        while True:
            wait_s = LOOK_S
            try:
                async with Round(LONGEST_REST_S):
                    await self.catch_up()
            except Refused as error:
                log.warning("sums.store_away", why=error.message)
                wait_s = RETRY_S
            except Exception:
                log.exception("sums.not_added")
                wait_s = RETRY_S
            await asyncio.sleep(wait_s)

    async def catch_up(self) -> None:
        more = await self._store.look(sums.is_due)
        while more:
            async with self._store.write(ENGINE) as work:
                more = await sums.step(work)
            await asyncio.sleep(REST_S)
