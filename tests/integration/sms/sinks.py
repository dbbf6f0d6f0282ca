"""Where transports under test put what comes in."""

from __future__ import annotations

from crm.errors import unavailable
from pbx.services.ports_texts import DeliveryReport, IncomingText, OutgoingText


class Sink:
    def __init__(self) -> None:
        self.texts: list[IncomingText] = []
        self.reports: list[DeliveryReport] = []
        self.away = False

    async def received(self, text: IncomingText) -> None:
        self._there()
        self.texts.append(text)

    async def reported(self, report: DeliveryReport) -> None:
        self._there()
        self.reports.append(report)

    def _there(self) -> None:
        if self.away:
            raise unavailable("the test took it away")


def a_text(body: str = "Hello", message_id: str = "tx_01", encoding: str = "gsm7", segments: int = 1) -> OutgoingText:
    return OutgoingText(message_id, "+14155550101", "+12065550140", body, encoding, segments)
