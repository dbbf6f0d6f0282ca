"""Who is that? The records that a caller's number belongs to, found beside the call, never in its way (I1).

One worker looks numbers up, all that wait in one go: under load a look-up costs less, not more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog

from crm.errors import Refused
from crm.services import matching
from crm.unit_of_work import Store
from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.runtime import Calls, UnknownCall

log = structlog.get_logger("stories")

BATCH = 50
RING_FIRST_S = 0.01  # what rings the phones goes before what tells of the caller
GATHER_S = 0.09  # between two look-ups: of the card's 150 ms the story leaves the page the better part


class Stories:
    """An observer: each new call gets a fact ``call.matched`` with every record that has the number."""

    def __init__(self, store: Store, calls: Calls) -> None:
        self._store = store
        self._calls = calls
        self._waiting: list[tuple[CallId, str]] = []
        self._wake = asyncio.Event()
        self._looked = -GATHER_S

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            number = str(fact.data.get("customer") or "")
            if fact.kind == "call.created" and number:
                self._waiting.append((call, number))
                self._wake.set()

    def taken_over(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        if not any(fact.kind == "call.matched" for _, fact in facts):
            self.happened(call, facts)

    async def run(self) -> None:
        """Look numbers up for as long as the engine runs; a store that is away costs the story, not the call."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._wait())
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._wake.clear()
            try:
                await self._look_up(batch)
            except Refused as error:
                log.warning("stories.store_away", why=error.message, calls=len(batch))
            except Exception:
                log.exception("stories.not_found", calls=len(batch))

    def _wait(self) -> float:
        """A call by itself has its story at once; those that come close behind one another share a look-up."""
        now = asyncio.get_running_loop().time()
        wait = max(RING_FIRST_S, self._looked + GATHER_S - now)
        self._looked = now + wait
        return wait

    async def _look_up(self, batch: Sequence[tuple[CallId, str]]) -> None:
        found = await matching.match_each(self._store, list({number for _, number in batch}))
        briefs = {number: [_brief(match) for match in matches] for number, matches in found.items()}
        for call, number in batch:
            if number in briefs:
                self._annotate(call, briefs[number])

    def _annotate(self, call: CallId, matches: list[dict[str, Any]]) -> None:
        try:
            self._calls.annotate(call, "call.matched", {"matches": matches})
        except UnknownCall:
            log.info("stories.call_gone", call=call)


def _brief(match: matching.Match) -> dict[str, Any]:
    return {
        "type": match.kind,
        "id": match.record_id,
        "name": match.name,
        "company_id": match.company_id,
        "company_name": match.company_name,
        "title": match.title,
        "number": match.number,
        "label": match.label,
        "owner_id": match.owner_id,
        "deal": asdict(match.deal) if match.deal else None,
        "last_note": asdict(match.last_note) if match.last_note else None,
    }
