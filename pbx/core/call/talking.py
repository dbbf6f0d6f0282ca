"""The call stands: who hears whom is the bridge's; here are recording, digits and the end."""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call.model import Call, Disposition, Leg, Role
from pbx.core.call.states import State
from pbx.core.commands import (
    Answer,
    DiscardRecording,
    JoinBridge,
    Mute,
    PauseRecording,
    SendDigits,
    StartRecording,
    StopRecording,
    StopRinging,
)
from pbx.core.events import Ask, Asked, DigitsAsked, LegEnded, NotNow, TimerFired

DIGITS = frozenset("0123456789*#ABCDabcd")
LONGEST_DIGITS = 64
LONGEST_CALL = timedelta(hours=12)


def connect(call: Call, customer: Leg, ours: Leg, *, joined: bool = False) -> None:
    """Both have answered: let them hear each other, and record from now on (V10).

    The waiting caller's phone is answered first: that is what the caller notices. ``joined`` says that both
    are in the bridge already, as they are where early media was heard.
    """
    if call.caller.answered:
        call.do(StopRinging(call.caller.id))
    answer_caller(call)
    if not joined:
        call.do(JoinBridge(call.open_bridge(), (customer.id, ours.id)))
    call.answered_at = call.now
    call.move(State.TALKING)
    call.note("call.answered", leg=ours.id)
    _record(call, customer)
    call.start_timer("longest", LONGEST_CALL)


def answer_caller(call: Call) -> None:
    """A phone that we rang first has been answered by its user already."""
    first = call.caller
    if not first.answered:
        first.answered = True
        call.do(Answer(first.id))
        call.note("leg.answered", leg=first.id)


def _record(call: Call, customer: Leg) -> None:
    plan = call.person.recording if call.person else None
    if plan is None or not plan.enabled:
        return
    _start_recording(call, customer)
    if plan.announce:
        call.play(call.open_bridge(), "recording-announcement")
        call.note("recording.announced")


def _start_recording(call: Call, customer: Leg) -> None:
    call.recording = call.next_recording()
    call.recording_leg = customer.id
    call.do(StartRecording(call.recording, customer.id))
    call.note("recording.started", recording=call.recording, leg=customer.id)


def leg_ended(call: Call, event: LegEnded) -> None:
    """With one party left there is nobody to talk to (C8, V13). Every leg that is live here has answered."""
    call.finish(Disposition.ANSWERED, ended_by=call.legs[event.leg].role.value)


def timer_fired(call: Call, event: TimerFired) -> None:
    if event.name == "longest":
        call.finish(Disposition.ANSWERED, reason="longest_call", ended_by="system")


def asked(call: Call, event: Asked) -> None:
    match event.ask:
        case Ask.HANG_UP:
            call.finish(Disposition.ANSWERED, ended_by=event.by or "user")
        case Ask.PAUSE_RECORDING:
            _pause(call, True, event.by)
        case Ask.RESUME_RECORDING:
            _pause(call, False, event.by)
        case Ask.ERASE_RECORDING:
            _erase(call, event.by)
        case Ask.MUTE:
            _mute(call, True, event.by)
        case Ask.UNMUTE:
            _mute(call, False, event.by)
        case Ask.FORWARD | Ask.IGNORE:
            raise NotNow("The call has been answered already.")


def asked_to_end(call: Call, event: Asked) -> None:
    """Before an answer, the only thing left to ask of a call that goes out is to stop it."""
    if event.ask is not Ask.HANG_UP:
        raise NotNow("That is not possible before the call is answered.")
    call.finish(Disposition.CANCELLED, ended_by=event.by or "user")


def _running_recording(call: Call) -> None:
    if call.recording is None or call.recording_leg is None:
        raise NotNow("This call is not being recorded.", "not_recording")


def _pause(call: Call, paused: bool, by: str) -> None:
    _running_recording(call)
    assert call.recording is not None and call.recording_leg is not None
    if call.recording_paused is paused:
        return
    call.recording_paused = paused
    call.do(PauseRecording(call.recording, call.recording_leg, paused))
    call.note("recording.paused" if paused else "recording.resumed", recording=call.recording, by=by)


def _mute(call: Call, muted: bool, by: str) -> None:
    """Our user's own voice, in the switch: it holds whatever phone is used (V9)."""
    ours = next((leg for leg in call.live_legs() if leg.role is not Role.CUSTOMER and leg.answered), None)
    if ours is None:
        raise NotNow("There is nobody of yours in this call to mute.")
    if ours.muted is muted:
        return
    ours.muted = muted
    call.do(Mute(ours.id, muted))
    call.note("leg.muted" if muted else "leg.unmuted", leg=ours.id, by=by)


def _erase(call: Call, by: str) -> None:
    """Destroy what was recorded so far; what is said from now on goes into a new recording (V10).

    The new one starts before the old one stops, and in the state of the old one, paused or not.
    """
    _running_recording(call)
    assert call.recording is not None and call.recording_leg is not None
    old, leg = call.recording, call.legs[call.recording_leg]
    _start_recording(call, leg)
    if call.recording_paused:
        call.do(PauseRecording(call.recording, leg.id, True))
        call.note("recording.paused", recording=call.recording, by=by)
    call.do(StopRecording(old, leg.id))
    call.do(DiscardRecording(old))
    call.note("recording.erased", recording=old, by=by)


def send_digits(call: Call, event: DigitsAsked) -> None:
    """DTMF from the keypad on the screen to the customer's side (V8). Which digits is nobody else's business."""
    if not event.digits or len(event.digits) > LONGEST_DIGITS or not DIGITS.issuperset(event.digits):
        raise NotNow("Only the keys 0-9, *, # and A-D can be sent, 64 at most at once.", "invalid_digits")
    target = next(call.live_legs(Role.CUSTOMER), None)
    if target is None:
        raise NotNow("There is nobody to send digits to.")
    call.do(SendDigits(target.id, event.digits))
    call.note("digits.sent", leg=target.id, count=len(event.digits), by=event.by)
