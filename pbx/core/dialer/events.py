"""What happens to a run: asked by its user, told by calls and by the store."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.core.ids import Instant


@dataclass(frozen=True, slots=True)
class Found:
    """This entry is leased to the run."""

    entry_id: str


@dataclass(frozen=True, slots=True)
class NothingFound:
    """Nobody can be called now. ``until``: look again then; None: there is nothing to wait for."""

    reason: str
    until: Instant | None


@dataclass(frozen=True, slots=True)
class Dialled:
    """The entry is called, by the call of this id."""

    call_id: str


@dataclass(frozen=True, slots=True)
class NotDialled:
    """The call could not be begun. ``pauses``: it would be the same with the next entry (no phone, no credit)."""

    call_id: str
    reason: str
    pauses: bool


@dataclass(frozen=True, slots=True)
class CallOver:
    """``moves_on``: there is nothing to write of it: a message was left, or its summary is saved already."""

    call_id: str
    moves_on: bool = False


@dataclass(frozen=True, slots=True)
class MessageLeft:
    """The message plays in the customer's mailbox, and the user is free (voicemail drop)."""

    call_id: str


@dataclass(frozen=True, slots=True)
class SummarySaved:
    call_id: str


@dataclass(frozen=True, slots=True)
class Skipped:
    pass


@dataclass(frozen=True, slots=True)
class NextAsked:
    pass


@dataclass(frozen=True, slots=True)
class Paused:
    pass


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody types, or has stopped typing: the countdown stands still meanwhile."""

    held: bool


@dataclass(frozen=True, slots=True)
class Due:
    """The countdown is over, or it is time to look again."""


@dataclass(frozen=True, slots=True)
class Away:
    """Nothing was heard of its user for longer than a lease."""


@dataclass(frozen=True, slots=True)
class Stopped:
    pass


Event = (
    Found
    | NothingFound
    | Dialled
    | NotDialled
    | CallOver
    | MessageLeft
    | SummarySaved
    | Skipped
    | NextAsked
    | Paused
    | Resumed
    | Held
    | Due
    | Away
    | Stopped
)
