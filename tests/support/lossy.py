"""Loses messages of a test phone's SIP on their way, as UDP may: what must be sent again then is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tests.support.sip_message import MalformedSip, SipMessage
from tests.support.sip_phone import SipPhone
from tests.support.sip_wire import Peer


def request(method: str) -> Callable[[SipMessage], bool]:
    return lambda message: message.is_request and message.method == method


def response(status: int, method: str) -> Callable[[SipMessage], bool]:
    return lambda message: not message.is_request and (message.status, message.method) == (status, method)


@contextlib.contextmanager
def losing(
    phone: SipPhone, which: Callable[[SipMessage], bool], *, sent: bool, times: int = 1
) -> Iterator[list[SipMessage]]:
    """Of what the phone sends, or of what is sent to it, the first ``times`` messages never arrive; gives what was
    lost."""
    lost: list[SipMessage] = []
    wire, send, receive = phone.wire, phone.wire.send, phone.wire.receiver  # type: ignore[attr-defined]

    def loses(data: bytes) -> bool:
        with contextlib.suppress(MalformedSip, ValueError):
            message = SipMessage.parse(data)
            if len(lost) < times and which(message):
                lost.append(message)
                return True
        return False

    def lossy_send(data: bytes, peer: Peer) -> None:
        if not loses(data):
            send(data, peer)

    def lossy_receive(data: bytes, peer: Peer) -> None:
        if not loses(data):
            receive(data, peer)

    if sent:
        wire.send = lossy_send  # type: ignore[method-assign]
    else:
        wire.receiver = lossy_receive  # type: ignore[attr-defined]
    try:
        yield lost
    finally:
        wire.send, wire.receiver = send, receive  # type: ignore[method-assign,attr-defined]
