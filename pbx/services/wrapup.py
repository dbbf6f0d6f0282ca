"""After a call each of its users is given a summary to write (S1, C13): behind the log, never in a call's way.

What is due is read from the store, where each call says whether its users were given theirs. So it does not matter who
ended the call, whether an engine ran then, or how often this one starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog

from crm.errors import Refused
from crm.records import as_dict
from crm.services import summaries
from crm.unit_of_work import ENGINE, Store
from pbx.services.behind import Round
from pbx.services.hub import Hub

log = structlog.get_logger("wrapup")

RETRY_S = 2.0
LONGEST_REST_S = 0.5
"""A rep who has hung up waits for the form."""


class Stored(Protocol):
    """One fact whose rows stand in the store."""

    @property
    def kind(self) -> str: ...


class WrapUp:
    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._due = asyncio.Event()
        self._due.set()  # what an earlier run left

    def stored(self, facts: Iterable[Stored]) -> None:
        if any(fact.kind == "call.ended" for fact in facts):
            self._due.set()

    async def run(self) -> None:
        """Give out what is due, for as long as the engine runs."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                async with Round(LONGEST_REST_S):
                    while await self._give() >= summaries.AT_ONCE:  # more may be due; a look for nothing costs time
                        pass
            except Refused as error:
                log.warning("wrapup.store_away", why=error.message)
                await self._later()
            except Exception:
                log.exception("wrapup.not_given")
                await self._later()

    async def _later(self) -> None:
        await asyncio.sleep(RETRY_S)
        self._due.set()

    async def _give(self) -> int:
        async with self._store.write(ENGINE) as work:
            calls, given = await summaries.give_due(work)
        for summary in given:
            self._hub.summary_changed(summary.user_id, as_dict(summary))
        return calls
