"""What the store gives out about texts: frozen values, safe to keep after the transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or file that goes with a text."""

    id: str
    text_id: str | None
    content_type: str
    name: str
    bytes: int
    sha256: str
    created_us: int
    path: str = field(default="", repr=False, metadata={"secret": True})
    user_id: str | None = field(default=None, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class Text:
    """``direction`` is in or out. ``code`` is a stable word and ``reason`` a sentence that say why it is in this state.
    ``author`` is who wrote it: user:…, token:…, auto:… for a confirmation of ours, customer."""

    id: str
    conversation_id: str
    seq: int
    direction: str
    did: str
    customer_number: str
    user_id: str | None
    author: str
    record_id: str | None
    body: str
    encoding: str
    segments: int
    state: str
    state_us: int
    code: str | None
    reason: str | None
    price_micros: int | None
    currency: str | None
    scheduled_us: int | None
    next_us: int | None
    tries: int
    transport_id: str | None
    provider_id: str | None
    campaign_id: str | None
    sent_us: int | None
    delivered_us: int | None
    created_us: int
    updated_us: int
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """With one customer number from one number of ours, while one user has that. ``ended_us`` stands where somebody
    else has it by now; ``name`` is that of the record it is filed under."""

    id: str
    did: str
    customer_number: str
    user_id: str | None
    record_id: str | None
    ended_us: int | None
    last_us: int
    last_direction: str
    last_body: str
    last_state: str
    unread: int
    created_us: int
    updated_us: int
    name: str | None = None
    company: str | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """``source`` is keyword, disposition, api, console or cli; ``detail`` the word or whatever else is known."""

    e164: str
    source: str
    detail: str
    actor: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Template:
    """A text written before, with fields that are filled when it is used."""

    id: str
    name: str
    body: str
    group_ids: tuple[str, ...]
    position: int
    active: bool
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Transport:
    """What carries texts. ``numbers`` are those it is chosen for; others go by the first one that has none.
    ``secret_names`` are those that are set."""

    id: str
    name: str
    kind: str
    priority: int
    options: dict[str, Any]
    secret_names: tuple[str, ...]
    numbers: tuple[str, ...]
    enabled: bool
    created_us: int
    updated_us: int
    secrets: dict[str, str] = field(default_factory=dict, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class Brand:
    """Who writes, as the registry knows it. ``score`` is that of its vetting, if there was one."""

    id: str
    name: str
    details: dict[str, Any]
    state: str
    registry_id: str
    score: int | None
    note: str
    state_us: int
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is written and to whom, as the registry knows it; ``numbers`` are those that send through it."""

    id: str
    name: str
    brand_id: str
    use_case: str
    message_class: str
    details: dict[str, Any]
    state: str
    registry_id: str
    note: str
    numbers: tuple[str, ...]
    state_us: int
    created_us: int
    updated_us: int
