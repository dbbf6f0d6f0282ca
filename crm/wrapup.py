"""What the store gives out about the time after a call: frozen values, safe to keep after the transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call went, as the organisation names it. ``key`` is the digit from 1 to 9 that chooses it; one with
    ``do_not_text`` says that the customer wants no texts, one with ``do_not_call`` no calls."""

    id: str
    name: str
    colour: str
    key: int | None
    position: int
    active: bool
    created_us: int
    updated_us: int
    do_not_text: bool = False
    do_not_call: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeBrief:
    """Of an outcome that was removed it is what it was when it was chosen."""

    id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What one user says of one call. ``role`` is host or guest; ``call_ended_us`` stands when the call is over."""

    call_id: str
    user_id: str
    role: str
    state: str
    outcome: OutcomeBrief | None
    outcome_id: str | None
    notes: str
    deal_id: str | None
    record_type: str | None
    record_id: str | None
    call_created_us: int
    call_ended_us: int | None
    created_us: int
    updated_us: int
    saved_us: int | None


def blank(
    call_id: str,
    user_id: str,
    role: str,
    *,
    record_type: str | None,
    record_id: str | None,
    call_created_us: int,
    call_ended_us: int | None,
    at_us: int,
) -> Summary:
    """A summary as it begins: filed where the call is."""
    return Summary(
        call_id,
        user_id,
        role,
        state="draft",
        outcome=None,
        outcome_id=None,
        notes="",
        deal_id=None,
        record_type=record_type,
        record_id=record_id,
        call_created_us=call_created_us,
        call_ended_us=call_ended_us,
        created_us=at_us,
        updated_us=at_us,
        saved_us=None,
    )


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do by a moment. ``user_id`` does it; ``reminded_us`` is when the reminder was given."""

    id: str
    user_id: str
    author_id: str | None
    title: str
    due_us: int
    remind_us: int | None
    reminded_us: int | None
    record_id: str | None
    deal_id: str | None
    call_id: str | None
    done_us: int | None
    created_us: int
    updated_us: int
