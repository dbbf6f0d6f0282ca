"""What becomes of a text (T4): every state with what it means, every move that may be, in one table."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    SCHEDULED = "scheduled"  # waits for its moment
    HELD = "held"  # waits for something that people must do, such as a campaign's approval
    QUEUED = "queued"  # accepted: it will be sent, whatever dies
    SENDING = "sending"  # given to a transport, of which no answer is noted yet
    SENT = "sent"  # the transport's other side has it
    DELIVERED = "delivered"
    FAILED = "failed"  # it was not sent or not delivered, and why is known
    UNKNOWN = "unknown"  # it may have been sent: nobody sends it twice, only a report tells
    CANCELED = "canceled"
    RECEIVED = "received"  # it came in


MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset(
        {State.QUEUED, State.SCHEDULED, State.SENDING, State.HELD, State.CANCELED, State.FAILED}
    ),
    State.HELD: frozenset({State.QUEUED, State.SCHEDULED, State.HELD, State.SENDING, State.CANCELED, State.FAILED}),
    State.QUEUED: frozenset({State.QUEUED, State.SCHEDULED, State.HELD, State.SENDING, State.CANCELED, State.FAILED}),
    State.SENDING: frozenset({State.SENT, State.DELIVERED, State.QUEUED, State.FAILED, State.UNKNOWN}),
    State.SENT: frozenset({State.DELIVERED, State.FAILED}),
    State.UNKNOWN: frozenset({State.SENT, State.DELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELED: frozenset(),
    State.RECEIVED: frozenset(),
}

WAITING = (State.SCHEDULED, State.HELD, State.QUEUED)
"""Nothing of it has left: it can be taken back."""


def may(before: str, after: str) -> bool:
    return State(after) in MOVES[State(before)]
