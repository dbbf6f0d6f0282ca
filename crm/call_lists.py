"""What the store gives out about call lists: frozen values, safe to keep after the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ENTRY_STATES = ("waiting", "done", "out")
WRAP_UPS = ("setting", "required", "free")


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a list's entries. ``leased`` are those that somebody works on now, counted among the waiting ones."""

    waiting: int = 0
    leased: int = 0
    done: int = 0
    out: int = 0


@dataclass(frozen=True, slots=True)
class CallList:
    """``filling``: how many entries a filter has brought so far while it still brings more; None: all are there."""

    id: str
    name: str
    description: str
    owner_id: str | None
    shared: bool
    group_ids: tuple[str, ...]
    active: bool
    filling: int | None
    preview_s: int
    wrap_up_s: int
    wrap_up: str
    retry: tuple[dict[str, Any], ...]
    daily_calls: int | None
    daily_calls_user: int | None
    daily_calls_number: int | None
    drop_outcome_id: str | None
    counts: Counts
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """``due_us``: not before. ``reason`` says why it waits or is out; ``held_by`` who works on it now."""

    id: str
    list_id: str
    record_id: str
    record_type: str
    name: str
    company_name: str
    position: int
    number: str
    time_zones: tuple[str, ...]
    state: str
    due_us: int
    reason: str
    calls: int
    result: str | None
    outcome_id: str | None
    last_call_id: str | None
    last_call_us: int | None
    held_by: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that could be called next: what the gate is asked about."""

    id: str
    number: str
    place: str
    due_us: int
    position: int
    last_call_us: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate's word on a candidate. Refused with ``again_us`` it waits until then, without it is out for good."""

    allowed: bool
    reason: str = ""
    again_us: int | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nobody to call now; ``until_us`` is when to look again, None: not at all."""

    reason: str
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """A user's way through a list. ``due_us`` is the end of the countdown, or when to look again; ``held_us`` what is
    left of one that typing pauses; ``reason`` why there is nobody to call now."""

    id: str
    list_id: str
    user_id: str
    phase: str
    paused: str
    reason: str
    entry_id: str | None
    call_id: str | None
    due_us: int | None
    held_us: int | None
    via: str | None
    device_id: str | None
    calls: int
    started_us: int
    beat_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class RepPace:
    """What one user has done in a list in the time that is asked about."""

    user_id: str
    calls: int
    answered: int
    talk_ms: int
    first_us: int
    last_us: int
    calls_per_hour: float
    phase: str | None
    paused: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a call came to this: a result of the switch, or an outcome by its id."""

    key: str
    calls: int


@dataclass(frozen=True, slots=True)
class Progress:
    """``since_us``: results, outcomes and paces are of the calls since then."""

    list_id: str
    at_us: int
    since_us: int
    counts: Counts
    calls: int
    calls_per_hour: float
    results: tuple[Tally, ...]
    outcomes: tuple[Tally, ...]
    waiting_for: tuple[Tally, ...]
    reps: tuple[RepPace, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """A message for mailboxes, recorded by its user."""

    id: str
    user_id: str
    name: str
    duration_ms: int
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class NumbersList:
    """A do-not-call list from outside."""

    id: str
    name: str
    source: str
    numbers: int
    created_us: int
    updated_us: int
