"""What carries SIP: UDP, TCP or TLS, with a trace of every message and its moment."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

from tests.support.sip_message import MalformedSip, SipMessage, split_stream

Peer = tuple[str, int]


@dataclass(frozen=True)
class Traced:
    """One message as it was sent or received; `at` is time.monotonic()."""

    at: float
    sent: bool
    peer: Peer
    message: SipMessage | None
    raw: bytes

    def __str__(self) -> str:
        first = self.raw.split(b"\r\n", 1)[0].decode("utf-8", "replace")
        detail = "" if self.message is None else f"  [{self.message.cseq[1]} {self.message.call_id[:8]}]"
        return f"{self.at:.3f} {'->' if self.sent else '<-'} {self.peer[0]}:{self.peer[1]} {first}{detail}"


@dataclass
class Trace:
    """All messages of one phone, oldest first."""

    entries: list[Traced] = field(default_factory=list)

    def add(self, sent: bool, peer: Peer, raw: bytes) -> SipMessage | None:
        try:
            message = SipMessage.parse(raw)
        except (MalformedSip, ValueError):
            message = None
        self.entries.append(Traced(time.monotonic(), sent, peer, message, raw))
        return message

    def text(self, last: int = 60) -> str:
        if not self.entries:
            return "(no message was sent or received)"
        start = self.entries[0].at
        lines = [f"{entry.at - start:8.3f} {str(entry).split(' ', 1)[1]}" for entry in self.entries[-last:]]
        return "\n".join(lines)

    def received(self, method: str, status: int | None = None) -> list[Traced]:
        """Messages received: requests of a method, or responses to it with a status."""
        return self._matching(False, method, status)

    def sent(self, method: str, status: int | None = None) -> list[Traced]:
        return self._matching(True, method, status)

    def _matching(self, sent: bool, method: str, status: int | None) -> list[Traced]:
        wanted = status or 0
        return [
            entry
            for entry in self.entries
            if entry.sent == sent
            and entry.message is not None
            and (entry.message.method, entry.message.status) == (method, wanted)
        ]


class Wire(Protocol):
    """A way to send bytes; what arrives goes to the function given at opening."""

    name: str
    local: Peer
    reliable: bool

    def send(self, data: bytes, peer: Peer) -> None: ...

    def close(self) -> None: ...


Receiver = Callable[[bytes, Peer], None]


class UdpWire(asyncio.DatagramProtocol):
    """One UDP socket for everything a phone says in SIP."""

    name, reliable = "UDP", False

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.local: Peer = ("", 0)
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.local = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip():
            self.receiver(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        """An ICMP refusal: the peer is away. Deadlines tell the test so."""

    def send(self, data: bytes, peer: Peer) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, peer)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class StreamWire(asyncio.Protocol):
    """One TCP or TLS connection to the server; its own address is the phone's Contact."""

    reliable = True

    def __init__(self, receiver: Receiver, name: str) -> None:
        self.receiver, self.name = receiver, name
        self.local: Peer = ("", 0)
        self.peer: Peer = ("", 0)
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.local = transport.get_extra_info("sockname")[:2]
        self.peer = transport.get_extra_info("peername")[:2]

    def data_received(self, data: bytes) -> None:
        messages, self.buffer = split_stream(self.buffer + data)
        for message in messages:
            self.receiver(message, self.peer)

    def send(self, data: bytes, peer: Peer) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def open_wire(transport: str, server: Peer, host: str, port: int, receiver: Receiver) -> Wire:
    """Open `udp`, `tcp` or `tls`. TLS takes any certificate: the phone is on loopback."""
    loop = asyncio.get_running_loop()
    if transport == "udp":
        _, udp = await loop.create_datagram_endpoint(lambda: UdpWire(receiver), local_addr=(host, port))
        return udp
    context = None
    if transport == "tls":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, stream = await loop.create_connection(
        lambda: StreamWire(receiver, transport.upper()), *server, local_addr=(host, port), ssl=context
    )
    return stream
