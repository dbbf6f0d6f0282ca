"""An SMSC for tests: another library's server side (smpp34), so that ours is not measured by itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Any

from smpp34 import Esme, Server, SubmitSmEvent, Tlv

from tests.support.waiting import Signal


class Smsc:
    """``answer`` decides on each short message: an id accepts it, a number refuses it with that status.

    Its sessions go through a relay that can be cut and laid again at the same port.
    """

    def __init__(self, port: int, inner_port: int) -> None:
        self.port, self._inner_port = port, inner_port
        self._relay: asyncio.Server | None = None
        self._relayed: set[asyncio.StreamWriter] = set()
        self.signal = Signal()
        self.esmes: list[Esme] = []
        self.taken: list[SubmitSmEvent] = []
        self.answer: Callable[[SubmitSmEvent], str | int | None] = lambda event: f"m{next(self._ids)}"
        self._ids = itertools.count(1)
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._server = Server("127.0.0.1", self._inner_port, system_id="SMSC")
        await self._server.start()
        self._task = asyncio.ensure_future(self._listen(self._server))
        await self.connect()

    async def connect(self) -> None:
        self._relay = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Every session is lost at once, and nobody listens any more."""
        if self._relay is not None:
            self._relay.close()
        for writer in self._relayed:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._inner_port)
        self._relayed |= {writer, far_writer}
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    async def stop(self) -> None:
        await self.cut()
        if self._task is not None and self._server is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._server.stop()
            self._server = None

    async def _listen(self, server: Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, Esme):
                self.esmes.append(event)
            elif isinstance(event, SubmitSmEvent):
                self._take(event)
            self.signal.fire()

    def _take(self, event: SubmitSmEvent) -> None:
        self.taken.append(event)
        decided = self.answer(event)
        if isinstance(decided, str):
            event.accept(decided)
        elif decided is not None:
            event.reject(decided)

    async def bound(self, count: int = 1, within: float = 10) -> Esme:
        await self.signal.until(lambda: len(self.esmes) >= count, within, lambda: "Nobody has bound.")
        return self.esmes[-1]

    async def deliver(self, sender: str, receiver: str, octets: bytes, **fields: Any) -> int:
        """A text from a mobile; the status that it is answered with."""
        answer = await self.esmes[-1].deliver_sm(
            receiver, octets, source_addr=sender, source_addr_ton=1, source_addr_npi=1, dest_addr_ton=1, **fields
        )
        return answer.command_status

    async def report(
        self, named: str, state: str = "DELIVRD", error: str = "000", tlvs: list[Tlv] | None = None
    ) -> int:
        words = (
            f"id:{named} sub:001 dlvrd:001 submit date:2601010900 done date:2601010901 stat:{state} err:{error} text:"
        )
        return await self.deliver("12065550140", "14155550101", words.encode(), esm_class=4, tlvs=tlvs or [])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(1 << 16):
            writer.write(octets)
    writer.close()
