"""What webhooks can be told of, and what the store gives out about them: frozen values, safe to keep (A5)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

EVENTS: Mapping[str, str] = {
    "call.created": "calls:read",
    "call.answered": "calls:read",
    "call.ended": "calls:read",
    "recording.ready": "recordings:read",
    "voicemail.received": "recordings:read",
    "summary.saved": "calls:read",
    "text.received": "texts:read",
    "text.accepted": "texts:read",
    "text.sent": "texts:read",
    "text.delivered": "texts:read",
    "text.failed": "texts:read",
    "text.canceled": "texts:read",
    "opt_out.added": "texts:read",
    "opt_out.removed": "texts:read",
    "list_entry.done": "calls:read",
    "list_entry.out": "calls:read",
    "alert.raised": "calls:read",
    "alert.over": "calls:read",
    "charge.added": "admin:read",
    "ledger.posted": "admin:read",
    "balance.low": "admin:read",
    "balance.empty": "admin:read",
    **{
        f"{kind}.{what}": "people:read"
        for kind in ("lead", "contact", "company", "deal")
        for what in ("added", "changed", "removed")
    },
}
"""Each with the scope that a token needs to be told of it: who may not read a text may not have it sent either."""
PING = "ping"
STATES = ("waiting", "delivered", "failed")
ERRORS = ("unreachable", "no_answer", "broken_off", "not_allowed", "redirect", "status", "given_up")
"""What came of a try that failed: no connection, no answer in time, broken off, an address inside, sent on elsewhere,
another status than 2xx; or it has waited for too long."""
PREFIX = "whsec_"


def new_secret() -> str:
    """As Standard Webhooks writes it: 24 random bytes."""
    return PREFIX + b64encode(secrets.token_bytes(24)).decode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """``state`` is on, failing (since ``failing_us``) or paused; ``waiting`` counts what was not delivered yet. Until
    ``old_secret_until_us`` the secret before the present one signs beside it."""

    id: str
    url: str
    description: str
    events: tuple[str, ...]
    enabled: bool
    state: str
    waiting: int
    failures: int
    failing_us: int | None
    delivered_us: int | None
    old_secret_until_us: int | None
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event's way to one webhook. ``error`` is a word for what came of the last try, ``status`` what was answered;
    ``next_us`` is when it is tried next. One that failed has waited for too long, and is not tried again by itself."""

    id: str
    webhook_id: str
    event_id: str
    type: str
    object_id: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    took_ms: int | None
    created_us: int
    tried_us: int | None
    next_us: int | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of which nothing was told yet."""

    seq: int
    type: str
    object_id: str
    at_us: int
    webhook_id: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent: ``body`` is the same for every repeat."""

    delivery_id: str
    event_id: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one webhook is sent next, in the order in which it happened. ``secrets`` all sign."""

    webhook_id: str
    url: str
    secrets: tuple[str, ...]
    failures: int
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """What came of sending a letter. Without ``error`` it was taken; ``alone``: the receiver refuses this one, others
    may follow. ``again_us`` is when it is tried again, ``webhook_us`` when the webhook is."""

    delivery_id: str
    at_us: int
    took_ms: int
    status: int | None = None
    error: str | None = None
    alone: bool = False
    again_us: int = 0
    webhook_us: int = 0
