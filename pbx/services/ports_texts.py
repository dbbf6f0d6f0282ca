"""What carries texts: the port that every adapter in :mod:`pbx.adapters.sms` fulfils, and the sink that it fills (T5).

One worker sends, in the order of each conversation, from an outbox in the database. A transport sends once and says
what came of it; it never tries again by itself, and it never acknowledges a text that the sink has not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Media:
    """A file that goes with a text. ``url`` is where the provider may fetch it: a transport that sends addresses
    instead of contents gives it one."""

    content_type: str
    name: str
    path: Path
    url: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """``message_id`` is ours and the same at every try; ``encoding`` and ``segments`` are as counted when it was
    accepted. Numbers are E.164 with the plus."""

    message_id: str
    sender: str
    receiver: str
    body: str
    encoding: str  # gsm7 | ucs2
    segments: int
    media: tuple[Media, ...] = ()
    campaign: str = ""  # the registry's id of the approved 10DLC campaign


@dataclass(frozen=True, slots=True)
class Accepted:
    """The other side has it. ``provider_id`` is how its reports will name it; of several parts, the first one's."""

    provider_id: str
    part_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side does not have it, for certain. ``sentence`` says why and what to do; what is not permanent is
    tried again later."""

    code: str
    sentence: str
    permanent: bool
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request left, no answer came: it may have been sent. Tried again only where repeats are recognised."""

    code: str
    sentence: str


Sent = Accepted | Refused | Uncertain


class Delivery(StrEnum):
    SENT = "sent"  # handed on to the receiver's network
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReceivedMedia:
    content_type: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class IncomingText:
    """Whole: its parts are put together by the transport. A second one with the same ``provider_id`` from the same
    transport is known and left alone, so the id must stay the same when the other side repeats itself."""

    transport: str
    provider_id: str
    sender: str
    receiver: str
    body: str
    at_us: int
    media: tuple[ReceivedMedia, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a text of ours: named by ``message_id`` where the transport knows it, else by ``provider_id``.
    ``code`` is the other side's own, ``sentence`` what it means and what to do."""

    transport: str
    state: Delivery
    at_us: int
    provider_id: str = ""
    message_id: str = ""
    code: str = ""
    sentence: str = ""


class TextSink(Protocol):
    """Where transports put what comes in. Both return when it stands in the database, and raise
    :class:`crm.errors.Refused` with status 503 while it cannot: do not acknowledge then, so that it is sent again."""

    async def received(self, text: IncomingText) -> None: ...

    async def reported(self, report: DeliveryReport) -> None: ...


class SmsTransport(Protocol):
    """One configured way for texts. Made anew when its settings change."""

    @property
    def repeatable(self) -> bool:
        """Whether the other side sends a text once however often it is told the same ``message_id``."""

    @property
    def carries_media(self) -> bool: ...

    @property
    def ready(self) -> bool:
        """Whether sending is worth a try now; what waits is kept."""

    @property
    def condition(self) -> str:
        """A sentence for people: connected, or why not and what to do."""

    async def send(self, text: OutgoingText) -> Sent:
        """Within 30 seconds. What it raises counts as :class:`Uncertain`."""

    async def run(self) -> None:
        """Keep what connection there is to be kept, until cancelled."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request from outside, as it came: ``body`` are the raw octets that a signature is over, ``url`` the public
    address that was asked for."""

    method: str
    url: str
    headers: Mapping[str, str]  # names in lower case
    query: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class WebhookReply:
    status: int
    body: bytes = b""
    content_type: str = "text/plain"


class TakesWebhooks(Protocol):
    """A transport that is called from outside; one that is not has no such method, and its address answers 404."""

    async def webhook(self, request: Webhook) -> WebhookReply:
        """401 where the signature is not right; nothing of it reaches the sink then."""


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """A row of ``sms_transports``: ``options`` as checked by :mod:`crm.text_transports`, ``secrets`` kept apart."""

    id: str
    name: str
    kind: str  # sip_message | http | smpp
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


MakeTransport = Callable[[TransportSettings, TextSink], SmsTransport]
"""By kind; raises :class:`crm.errors.Refused` for settings that cannot work."""
