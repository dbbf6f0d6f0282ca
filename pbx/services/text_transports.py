"""The transports that run: made from their rows, made anew when those change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from crm.errors import Refused
from crm.services import text_transports
from crm.texts import Transport
from crm.unit_of_work import Store
from pbx.services.ports_texts import MakeTransport, SmsTransport, TextSink, TransportSettings

log = structlog.get_logger("texts")

RETRY_S = 5.0


@dataclass(slots=True)
class _Running:
    row: Transport
    transport: SmsTransport
    task: asyncio.Task[None]


class TextTransports:
    def __init__(self, store: Store, makers: Mapping[str, MakeTransport]) -> None:
        """``makers`` by kind."""
        self._store = store
        self._makers = makers
        self._running: dict[str, _Running] = {}
        self._faults: dict[str, str] = {}
        self.loaded = asyncio.Event()
        self._changed = asyncio.Event()
        self._changed.set()

    def get(self, transport_id: str) -> SmsTransport | None:
        running = self._running.get(transport_id)
        return running.transport if running is not None else None

    def repeatable(self) -> set[str]:
        """Ids of those that may be told the same text twice."""
        return {name for name, each in self._running.items() if each.transport.repeatable}

    def condition(self, transport_id: str) -> tuple[bool, str]:
        """Whether it can send now, and a sentence about it."""
        running = self._running.get(transport_id)
        if running is None:
            return False, self._faults.get(transport_id, "It is switched off. Switch it on to send with it.")
        return running.transport.ready, running.transport.condition

    def changed(self) -> None:
        """The configuration is another: look at the rows again."""
        self._changed.set()

    async def run(self, sink: TextSink) -> None:
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if not await self.load(sink):
                    await asyncio.sleep(RETRY_S)
                    self._changed.set()
        finally:
            for name in list(self._running):
                await self._stop(name)

    async def load(self, sink: TextSink) -> bool:
        """Run exactly those that are switched on, as they are configured now; False where the store does not answer."""
        try:
            async with self._store.read() as session:
                rows = {row.id: row for row in await text_transports.list_all(session) if row.enabled}
        except Refused as refused:
            log.warning("texts.transports_unread", why=refused.message)
            return False
        for name, running in list(self._running.items()):
            if name not in rows or _settings(rows[name]) != _settings(running.row):
                await self._stop(name)
        for name, row in rows.items():
            if name not in self._running:
                self._start(row, sink)
        self.loaded.set()
        return True

    def _start(self, row: Transport, sink: TextSink) -> None:
        make = self._makers.get(row.kind)
        try:
            if make is None:
                raise Refused("no_such_kind", f"Nothing here carries texts by “{row.kind}”. Choose another kind.")
            transport = make(_settings(row), sink)
        except Refused as refused:
            self._faults[row.id] = refused.message
            log.error("texts.transport_unusable", transport=row.name, why=refused.message)
            return
        self._faults.pop(row.id, None)
        self._running[row.id] = _Running(row, transport, asyncio.ensure_future(_kept_up(row.name, transport)))

    async def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        running.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running.task


async def _kept_up(name: str, transport: SmsTransport) -> None:
    """A transport that breaks is begun again: texts wait meanwhile."""
    while True:
        try:
            return await transport.run()
        except Exception:
            log.exception("texts.transport_broke", transport=name)
            await asyncio.sleep(RETRY_S)


def _settings(row: Transport) -> TransportSettings:
    return TransportSettings(row.id, row.name, row.kind, row.options, row.secrets)
