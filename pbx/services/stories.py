"""Who is that? The records that a caller's number belongs to, found beside the call, never in its way (I1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import structlog

from crm.directory import Directory
from crm.errors import Refused
from crm.services import matching
from crm.unit_of_work import Store
from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.runtime import Calls, UnknownCall

log = structlog.get_logger("stories")


class Stories:
    """An observer: each new call gets a fact ``call.matched`` with every record that has the number."""

    def __init__(self, store: Store, calls: Calls, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._calls = calls
        self._directory = directory
        self._tasks: set[asyncio.Task[None]] = set()

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            number = str(fact.data.get("customer") or "")
            if fact.kind == "call.created" and number:
                task = asyncio.get_running_loop().create_task(self._match(call, number))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _match(self, call: CallId, number: str) -> None:
        country = str(self._directory().settings["default_country"])
        try:
            async with self._store.read() as session:
                found = await matching.match(session, number, country=country)
            if found:
                self._calls.annotate(call, "call.matched", {"matches": [_brief(match) for match in found]})
        except (Refused, UnknownCall) as error:
            log.warning("stories.not_found", call=call, why=str(error))


def _brief(match: matching.Match) -> dict[str, Any]:
    return {"type": match.kind, "id": match.record_id} | {
        name: value for name, value in asdict(match).items() if name not in ("kind", "record_id")
    }
