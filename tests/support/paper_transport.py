"""A transport of paper: keeps what it is told to send, and says what a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pbx.adapters.sms.media import MediaAddresses
from pbx.services.ports_texts import Accepted, OutgoingText, Sent, SmsTransport, TextSink, TransportSettings


class PaperTransport:
    """``answer`` makes the answer to each text; ``gate`` closed keeps texts in hand until it is opened."""

    repeatable = False
    carries_media = True
    ready = True
    condition = "Connected."
    media: MediaAddresses | None = None

    def __init__(self) -> None:
        self.sent: list[OutgoingText] = []
        self.sink: TextSink | None = None
        self.settings: TransportSettings | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.answer: Callable[[OutgoingText], Sent] = lambda text: Accepted(f"provider-{text.message_id}")

    def make(self, settings: TransportSettings, sink: TextSink) -> SmsTransport:
        self.settings, self.sink = settings, sink
        return self

    async def send(self, text: OutgoingText) -> Sent:
        self.sent.append(text)
        await self.open.wait()
        return self.answer(text)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def bodies(self) -> list[str]:
        return [each.body for each in self.sent]
