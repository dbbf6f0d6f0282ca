"""What the store gives out: frozen values with the fields of the tables, safe to keep after the transaction.

Fields marked as secret are in neither ``repr`` nor :func:`as_dict`: logs, API and audit never see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


def _secret() -> Any:
    return field(repr=False, metadata={"secret": True})


def as_dict(record: Any) -> dict[str, Any]:
    """A record as JSON-ready dict, without its secrets."""
    return {each.name: _plain(getattr(record, each.name)) for each in fields(record) if not each.metadata.get("secret")}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return as_dict(value) if hasattr(value, "__dataclass_fields__") else value


@dataclass(frozen=True, slots=True)
class User:
    """``number`` is the user's DID; caps of None leave it to the organisation's settings; the phones of who is
    not ``available`` are not rung. ``greeting`` names the sound
    that the user recorded for voicemail; where files lie is not told."""

    id: str
    email: str
    name: str
    role: str
    language: str
    time_zone: str
    country: str
    active: bool
    forwarding_number: str | None
    ring_time_s: int
    voicemail_enabled: bool
    forward_accept: str
    recording_policy: str
    may_call: bool
    max_concurrent: int | None
    spend_cap_micros: int | None
    has_password: bool
    number: str | None
    created_us: int
    updated_us: int
    available: bool = True
    has_greeting: bool = False
    greeting: str | None = field(default=None, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class Number:
    e164: str
    country: str
    voice: bool
    sms: bool
    user_id: str | None
    label: str
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Device:
    """``id`` is the SIP user name and the endpoint's name; ``ha1`` is MD5(id:switchhook:secret)."""

    id: str
    user_id: str
    name: str
    kind: str
    transport: str
    ha1: str = _secret()
    enabled: bool = True
    created_us: int = 0
    updated_us: int = 0


@dataclass(frozen=True, slots=True)
class Trunk:
    id: str
    name: str
    mode: str
    host: str
    port: int
    transport: str
    username: str
    secret: str = _secret()
    priority: int = 10
    number_format: str = "e164"
    prefix: str = ""
    codecs: tuple[str, ...] = ()
    max_channels: int | None = None
    calls_per_second: int | None = None
    match_addresses: tuple[str, ...] = ()
    enabled: bool = True
    created_us: int = 0
    updated_us: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """``members`` are ids of users in the order in which they were given."""

    id: str
    name: str
    description: str
    members: tuple[str, ...]
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Script:
    """``group_ids`` are those who see it; empty: everybody."""

    id: str
    name: str
    body: str
    direction: str
    group_ids: tuple[str, ...]
    position: int
    active: bool
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """``user_id`` is empty where it was accepted on the command line of the machine."""

    user_id: str | None
    user_name: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator must accept; ``accepted`` says who did, of this version."""

    key: str
    version: int
    title: str
    text: str
    accepted: Acceptance | None


@dataclass(frozen=True, slots=True)
class DoNotCallEntry:
    e164: str
    reason: str
    source: str
    created_us: int


@dataclass(frozen=True, slots=True)
class LoginSession:
    id: str
    user_id: str
    csrf: str = _secret()
    address: str = ""
    agent: str = ""
    created_us: int = 0
    seen_us: int = 0
    expires_us: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    created_us: int
    expires_us: int | None
    used_us: int | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    seq: int
    at_us: int
    actor: str
    action: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    direction: str
    state: str
    user_id: str | None
    device_id: str | None
    trunk_id: str | None
    did: str | None
    customer_number: str | None
    caller_raw: str | None
    source: str
    via: str | None
    created_us: int
    ringing_us: int | None
    answered_us: int | None
    ended_us: int | None
    disposition: str | None
    cause_q850: int | None
    sip_status: int | None
    reason: str | None
    ended_by: str | None
    ring_ms: int | None
    talk_ms: int | None
    record_type: str | None
    record_id: str | None
    matches: list[Any] | None
    recording_id: str | None
    recording_state: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class Leg:
    id: str
    call_id: str
    role: str
    user_id: str | None
    device_id: str | None
    trunk_id: str | None
    number: str | None
    endpoint: str | None
    created_us: int
    ringing_us: int | None
    answered_us: int | None
    ended_us: int | None
    result: str | None
    cause: int | None
    sip_status: int | None


@dataclass(frozen=True, slots=True)
class Participant:
    call_id: str
    number: int
    role: str
    leg_id: str | None
    user_id: str | None
    phone_number: str | None
    name: str | None
    joined_us: int | None
    left_us: int | None
    created_us: int


@dataclass(frozen=True, slots=True)
class CallEvent:
    call_id: str
    seq: int
    kind: str
    at_us: int
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Recording:
    """``path`` and ``peaks_path`` are relative to the recordings directory and stand once the files do."""

    id: str
    call_id: str
    user_id: str | None
    state: str
    path: str | None
    peaks_path: str | None
    sha256: str | None
    codec: str | None
    channels: int | None
    duration_ms: int | None
    bytes: int | None
    started_us: int
    ended_us: int | None
    problem: str | None
    tracks: list[dict[str, Any]] | None = None
    private: list[dict[str, Any]] | None = None
    tracks_path: str | None = None
    public_path: str | None = None


@dataclass(frozen=True, slots=True)
class Voicemail:
    id: str
    user_id: str
    call_id: str | None
    caller_number: str | None
    state: str
    path: str | None
    sha256: str | None
    codec: str | None
    duration_ms: int | None
    bytes: int | None
    heard_us: int | None
    created_us: int
    removed_us: int | None


@dataclass(frozen=True, slots=True)
class Block:
    """An address or network that is kept out, until ``until_us`` or, where that is empty, until it is taken away."""

    address: str
    since_us: int
    until_us: int | None
    times: int
    source: str
    reason: str
