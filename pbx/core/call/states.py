"""The states of a call and every legal move between them; the diagrams in the docs are drawn from here."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What the people in the call would say is going on."""

    NEW = "new"
    RINGING = "ringing"  # the user's phones ring; the caller hears ringing
    FORWARDING = "forwarding"  # the forwarding number rings; the caller hears ringing
    ASKING = "asking"  # the forwarding number answered and is asked to accept
    PREPARING = "preparing"  # the user's own phone is rung before the customer is dialled
    DIALLING = "dialling"  # the customer is dialled
    TALKING = "talking"
    ANNOUNCING = "announcing"  # a message is played before the call ends or voicemail starts
    MESSAGE = "message"  # the caller speaks to the voicemail
    DROPPING = "dropping"  # a message of the user's is left in a mailbox; the user has gone on
    ENDED = "ended"


S = State
MOVES: dict[State, frozenset[State]] = {
    S.NEW: frozenset({S.RINGING, S.FORWARDING, S.ANNOUNCING, S.PREPARING, S.DIALLING, S.ENDED}),
    S.RINGING: frozenset({S.FORWARDING, S.ANNOUNCING, S.TALKING, S.ENDED}),
    S.FORWARDING: frozenset({S.ASKING, S.TALKING, S.ANNOUNCING, S.ENDED}),
    S.ASKING: frozenset({S.TALKING, S.ANNOUNCING, S.ENDED}),
    S.PREPARING: frozenset({S.DIALLING, S.RINGING, S.FORWARDING, S.ANNOUNCING, S.ENDED}),
    S.DIALLING: frozenset({S.TALKING, S.ANNOUNCING, S.ENDED}),
    S.TALKING: frozenset({S.DROPPING, S.ENDED}),
    S.ANNOUNCING: frozenset({S.MESSAGE, S.ENDED}),
    S.MESSAGE: frozenset({S.ENDED}),
    S.DROPPING: frozenset({S.ENDED}),
    S.ENDED: frozenset(),
}


def drawn() -> str:
    """The table of moves as a Mermaid state diagram, for the docs."""
    order = list(State)
    lines = ["stateDiagram-v2", f"    [*] --> {State.NEW}"]
    for state in order:
        lines += [f"    {state} --> {after}" for after in sorted(MOVES[state], key=order.index)]
    return "\n".join([*lines, f"    {State.ENDED} --> [*]", ""])
