"""Everything about texts, put together: what the engine starts, what the web asks, what transports fill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from crm.directory import Directory
from crm.unit_of_work import Store
from pbx.services.hub import Hub
from pbx.services.ports_texts import MakeTransport
from pbx.services.text_files import TextFiles
from pbx.services.text_gate import TextGate
from pbx.services.text_inbox import TextInbox
from pbx.services.text_outbox import TextOutbox
from pbx.services.text_rules import TextRules
from pbx.services.text_transports import TextTransports
from pbx.services.texts import Texts


class Texting:
    def __init__(
        self,
        store: Store,
        hub: Hub,
        directory: Callable[[], Directory],
        makers: Mapping[str, MakeTransport],
        attachments: Path,
        worker: str,
    ) -> None:
        """``makers`` of transports by their kind; ``worker`` is the engine's name, the same in each of its runs."""
        self.rules = TextRules()
        self.gate = TextGate(directory, self.rules)
        self.files = TextFiles(store, attachments)
        self.transports = TextTransports(store, makers)
        self.texts = Texts(store, self.gate, hub, lambda: self.outbox.due())
        self.outbox = TextOutbox(
            store,
            self.gate,
            self.transports,
            self.files,
            self.texts.tell,
            directory,
            worker=worker,
        )
        self.inbox = TextInbox(store, directory, self.files, self.texts.tell, self.outbox.due)

    async def run(self) -> None:
        """Carry texts for as long as the engine runs. When it ends, what is in hand is finished first."""
        carrying = asyncio.ensure_future(self.transports.run(self.inbox))
        try:
            await self.outbox.run()
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)

    def changed(self) -> None:
        """The configuration is another: transports, campaigns and numbers may be."""
        self.transports.changed()
        self.outbox.due()
