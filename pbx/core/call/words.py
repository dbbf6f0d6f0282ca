"""Words instead of a person: what a caller hears where nobody was reached, and the message that follows (I5 to I7)."""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import talking
from pbx.core.call.model import Call, Closing, Disposition
from pbx.core.call.states import State
from pbx.core.causes import Cause
from pbx.core.commands import RecordMessage
from pbx.core.events import Ask, Asked, Direction, LegEnded, MessageRecorded, NotNow, PlaybackDone, TimerFired
from pbx.core.ids import voicemail_id

MESSAGE_GRACE = timedelta(seconds=15)
SHORTEST_MESSAGE = timedelta(seconds=1)


def unavailable(call: Call, reason: str) -> None:
    """I6: busy, ignored or declined."""
    _leave_word(call, "unavailable", Closing(Disposition.BUSY, Cause.BUSY, reason))


def unreachable(call: Call, reason: str) -> None:
    """I5: nobody there and nobody at the forwarding number."""
    _leave_word(call, "unreachable", Closing(Disposition.NO_ANSWER, Cause.NO_ANSWER, reason))


def _leave_word(call: Call, prompt: str, closing: Closing) -> None:
    """The message; then voicemail where it is switched on (I7), which answers the call first."""
    plan = call.person.voicemail if call.person else None
    if plan is None:
        call.announce(closing, prompt)  # as early media: the caller pays nothing for the call
        return
    talking.answer_caller(call)
    call.announce(closing, prompt, plan.greeting, "beep", then="message")


def announced(call: Call, event: PlaybackDone) -> None:
    then = call.after_playback.pop(event.playback, "")
    if then == "end":
        _close(call, "system")
    elif then == "message":
        _take_message(call)


def announcement_overdue(call: Call, event: TimerFired) -> None:
    if event.name == "announcement":
        _close(call, "system")


def _close(call: Call, ended_by: str) -> None:
    """End as was decided before the words began."""
    closing = call.closing
    assert closing is not None
    call.finish(closing.disposition, closing.cause, reason=closing.reason, ended_by=ended_by)


def _take_message(call: Call) -> None:
    plan = call.person.voicemail if call.person else None
    assert plan is not None
    call.stop_timer("announcement")
    call.move(State.MESSAGE)
    call.message_since = call.now
    name = voicemail_id(call.id)
    call.note("voicemail.started", voicemail=name, leg=call.caller.id)
    call.do(RecordMessage(name, call.caller.id, plan.max_length))
    call.start_timer("message", plan.max_length + MESSAGE_GRACE)


def caller_left_announcement(call: Call, event: LegEnded) -> None:
    """Heard enough: why nobody was reached stands already."""
    if event.leg == call.first_leg:
        _close(call, "user" if call.direction is Direction.OUTBOUND else "customer")


def message_recorded(call: Call, event: MessageRecorded) -> None:
    length_ms = int(event.duration / timedelta(milliseconds=1))
    _end_with_message(call, "customer", "voicemail.recorded", event.duration, duration_ms=length_ms)


def caller_left_message(call: Call, event: LegEnded) -> None:
    """Most callers end their message by hanging up: the recording's own end tells how long it is."""
    if event.leg == call.first_leg:
        _message_left(call, "customer")


def message_overdue(call: Call, event: TimerFired) -> None:
    if event.name == "message":
        _message_left(call, "system")


def asked_while_announcing(call: Call, event: Asked) -> None:
    """A message that has begun is kept when the user ends the call."""
    if event.ask is not Ask.HANG_UP:
        raise NotNow("Nobody is in this call who could be asked for that.")
    if call.state is State.MESSAGE:
        _message_left(call, event.by or "user")
    else:
        _close(call, event.by or "user")


def _message_left(call: Call, ended_by: str) -> None:
    _end_with_message(call, ended_by, "voicemail.left")


def _end_with_message(call: Call, ended_by: str, kind: str, length: timedelta = timedelta(0), **data: object) -> None:
    """Who hangs up at the beep has left no message: the call ends as it would have without voicemail.

    So does who hung up during the words: the switch tells of the words' end before it tells of the caller's.
    """
    assert call.closing is not None and call.message_since is not None
    elapsed = timedelta(microseconds=call.now - call.message_since)
    if max(elapsed, length) < SHORTEST_MESSAGE:
        call.note("voicemail.empty", voicemail=voicemail_id(call.id))
        _close(call, ended_by)
    else:
        call.note(kind, voicemail=voicemail_id(call.id), **data)
        call.finish(Disposition.VOICEMAIL, reason=call.closing.reason, ended_by=ended_by)
