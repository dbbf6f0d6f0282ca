"""The runner's states and what moves it: preview, call, summary, next (L2).

Who asks for something that the state does not allow gets :class:`~pbx.core.events.NotNow`; what only arrives late (the
end of a call that the run has left behind) changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pbx.core.dialer.events import (
    Away,
    CallOver,
    Dialled,
    Due,
    Event,
    Found,
    Held,
    MessageLeft,
    NextAsked,
    NotDialled,
    NothingFound,
    Paused,
    Resumed,
    Skipped,
    Stopped,
    SummarySaved,
)
from pbx.core.events import NotNow
from pbx.core.ids import Instant


class Phase(StrEnum):
    IDLE = "idle"  # nobody to call now, or paused between two
    PREVIEW = "preview"  # an entry is shown, and the countdown runs
    CALLING = "calling"
    WRAP_UP = "wrap_up"  # the summary is written
    STOPPED = "stopped"


class Want(StrEnum):
    """What a step asks the world for."""

    NOTHING = ""
    FIND = "find"  # let go of the entry, and lease the next one
    DIAL = "dial"
    RELEASE = "release"


BY_USER, AWAY = "user", "away"
"""Why a run is paused, besides the reasons for which a call cannot be begun."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the list is worked on. A countdown of nothing never runs: the user moves on by hand."""

    preview_us: int
    wrap_up_us: int
    wrap_up_required: bool


@dataclass(frozen=True, slots=True)
class Run:
    """``due`` is the end of the countdown that runs; ``held`` what is left of one that stands still."""

    phase: Phase = Phase.IDLE
    paused: str = ""
    reason: str = ""
    entry_id: str | None = None
    call_id: str | None = None
    due: Instant | None = None
    held: int | None = None
    calls: int = 0


Step = tuple[Run, Want]


def handle(run: Run, event: Event, terms: Terms, now: Instant) -> Step:
    """Raises NotNow for what a user asks at the wrong moment."""
    if run.phase is Phase.STOPPED:
        raise NotNow("This run is over. Start the list again to go on where it stood.", "no_run")
    match event:
        case Found():
            return _found(run, event, terms, now), Want.NOTHING
        case NothingFound():
            waits = replace(_empty(run), reason=event.reason, due=event.until)
            return waits, Want.RELEASE
        case Dialled() | NotDialled():
            return _dial(run, event)
        case CallOver() | MessageLeft() | SummarySaved():
            return _after_call(run, event, terms, now)
        case Skipped() | NextAsked():
            return _move_on(run, event, terms)
        case Held():
            return _hold(run, now) if event.held else _let_run(run, now)
        case Paused():
            return replace(_hold(run, now)[0], paused=BY_USER), Want.NOTHING
        case Resumed():
            return _resumed(run, now)
        case Due():
            return _due(run, now)
        case Away():
            return _away(run, now)
        case Stopped():
            return replace(_empty(run), phase=Phase.STOPPED, paused=""), Want.RELEASE


def _found(run: Run, event: Found, terms: Terms, now: Instant) -> Run:
    due = Instant(now + terms.preview_us) if terms.preview_us else None
    return replace(_empty(run), phase=Phase.PREVIEW, entry_id=event.entry_id, due=due)


def _dial(run: Run, event: Dialled | NotDialled) -> Step:
    if isinstance(event, Dialled):
        if run.phase is not Phase.PREVIEW:
            raise NotNow("There is nobody to dial now.", "nothing_to_dial")
        calling = replace(run, phase=Phase.CALLING, call_id=event.call_id, due=None, held=None, calls=run.calls + 1)
        return replace(calling, paused=""), Want.NOTHING  # who dials has ended the pause
    if run.phase is not Phase.CALLING or run.call_id != event.call_id:
        return run, Want.NOTHING
    back = replace(run, phase=Phase.PREVIEW, call_id=None, calls=run.calls - 1)
    if event.pauses:
        return replace(back, paused=event.reason), Want.NOTHING
    return _next(back)


def _after_call(run: Run, event: CallOver | MessageLeft | SummarySaved, terms: Terms, now: Instant) -> Step:
    if event.call_id != run.call_id:
        return run, Want.NOTHING
    if isinstance(event, SummarySaved):
        return _next(run) if run.phase is Phase.WRAP_UP else (run, Want.NOTHING)
    if run.phase is not Phase.CALLING:
        return run, Want.NOTHING
    if isinstance(event, MessageLeft) or event.moves_on:
        return _next(run)
    counts = not terms.wrap_up_required and terms.wrap_up_us > 0
    left = terms.wrap_up_us if counts else None
    wrapping = replace(run, phase=Phase.WRAP_UP, due=None, held=None)
    if left is None:
        return wrapping, Want.NOTHING
    return replace(wrapping, held=left) if run.paused else replace(wrapping, due=Instant(now + left)), Want.NOTHING


def _move_on(run: Run, event: Skipped | NextAsked, terms: Terms) -> Step:
    if isinstance(event, Skipped):
        if run.phase is not Phase.PREVIEW:
            raise NotNow("There is no entry to skip now.", "nothing_to_skip")
        return _next(run)
    if run.phase is Phase.CALLING:
        raise NotNow("End the call first.", "call_goes_on")
    if run.phase is Phase.WRAP_UP and terms.wrap_up_required:
        raise NotNow("Save the summary of this call first.", "wrap_up_required")
    return (run, Want.NOTHING) if run.phase is Phase.PREVIEW else _next(replace(run, paused=""))


def _hold(run: Run, now: Instant) -> Step:
    if run.due is None or run.phase is Phase.IDLE:
        return replace(run, due=None), Want.NOTHING
    return replace(run, due=None, held=max(0, run.due - now)), Want.NOTHING


def _let_run(run: Run, now: Instant) -> Step:
    if run.held is None or run.paused:
        return run, Want.NOTHING
    return replace(run, due=Instant(now + run.held), held=None), Want.NOTHING


def _resumed(run: Run, now: Instant) -> Step:
    goes_on = replace(run, paused="")
    if run.phase is Phase.IDLE:
        return _next(goes_on)
    return _let_run(goes_on, now)


def _due(run: Run, now: Instant) -> Step:
    if run.due is None or run.paused or now < run.due:
        return run, Want.NOTHING
    if run.phase is Phase.PREVIEW:
        return replace(run, due=None), Want.DIAL
    if run.phase in (Phase.WRAP_UP, Phase.IDLE):
        return _next(run)
    return run, Want.NOTHING


def _away(run: Run, now: Instant) -> Step:
    """A call goes on as calls do; else nothing goes on by itself, and the entry is free for others."""
    if run.phase is Phase.CALLING:
        return run, Want.NOTHING
    if run.phase is Phase.WRAP_UP:
        return replace(_hold(run, now)[0], paused=AWAY), Want.RELEASE
    return replace(_empty(run), paused=AWAY), Want.RELEASE


def _next(run: Run) -> Step:
    if run.paused:
        return _empty(run), Want.RELEASE
    return _empty(run), Want.FIND


def _empty(run: Run) -> Run:
    return replace(run, phase=Phase.IDLE, reason="", entry_id=None, call_id=None, due=None, held=None)
