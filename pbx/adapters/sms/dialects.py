"""How an HTTP provider is spoken to: what differs between them, and nothing of the connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from pbx.adapters.public_http import Reply
from pbx.services.ports_texts import Accepted, Delivery, OutgoingText, Refused, Sent, Uncertain, Webhook

NO_ANSWER = 502


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Came:
    """A text that a provider tells of; its files are still with the provider."""

    provider_id: str
    sender: str
    receiver: str
    body: str
    media: Sequence[str] = ()
    media_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Became:
    """What a provider tells of a text of ours. ``state`` is None where it says nothing that we keep."""

    state: Delivery | None
    provider_id: str = ""
    message_id: str = ""
    code: str = ""
    sentence: str = ""


class Dialect(Protocol):
    repeatable: bool
    carries_media: bool
    thanks: tuple[bytes, str]
    """What is answered to a webhook, and of which type that is."""

    def request(self, text: OutgoingText) -> Request: ...

    def read(self, reply: Reply, text: OutgoingText) -> Sent: ...

    def genuine(self, hook: Webhook, now_s: float) -> bool:
        """Whether its signature over the raw body is right and not older than five minutes."""

    def told(self, hook: Webhook) -> Came | Became | None:
        """None for what does not concern us. Raises ValueError for what cannot be read."""


def refusal(reply: Reply, code: str, why: str) -> Sent:
    """What an answer that is none of success says, by its status (RFC 9110, section 15)."""
    said = f": {why}" if why else ""
    if reply.status in (408, 429):
        return Refused(code or "throttled", f"The provider asks us to wait{said}.", False, waiting(reply))
    if reply.status in (401, 403):
        return Refused(code or "not_let_in", f"The provider does not let us in{said}. Check account and secret.", False)
    if reply.status in (500, 502, 504):
        return Uncertain(code or f"http_{reply.status}", f"The provider failed while it took the text{said}.")
    if reply.status >= 500:
        return Refused(code or f"http_{reply.status}", f"The provider takes no texts now{said}.", False, waiting(reply))
    return Refused(code or f"http_{reply.status}", f"The provider refused the text{said}.", True)


def accepted(provider_id: str) -> Sent:
    """Without an id no report could ever find its text, but it is sent all the same."""
    return Accepted(provider_id[:200])


def waiting(reply: Reply) -> float | None:
    try:
        return min(3600.0, max(0.0, float(reply.headers.get("retry-after", ""))))
    except ValueError:
        return None


def json_of(body: bytes) -> Any:
    """Raises ValueError."""
    return json.loads(body)


def form_of(body: bytes) -> list[tuple[str, str]]:
    """Raises ValueError for what is not UTF-8, or has more fields than any provider sends."""
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")


def at(value: Any, path: str) -> Any:
    """What stands at ``data.to.0.phone_number``; None where nothing does."""
    for step in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def words(value: Any) -> str:
    """A number or text as text, nothing else."""
    return str(value)[:2000] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
