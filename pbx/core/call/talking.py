"""The call stands: who hears whom is the bridge's; here are the answer, what users ask, digits and the end."""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import away, conference, keys, recording
from pbx.core.call.model import Call, Disposition, Leg, Role
from pbx.core.call.states import State
from pbx.core.commands import Answer, JoinBridge, Mute, SendDigits, StopRinging
from pbx.core.events import (
    Ask,
    Asked,
    DigitPressed,
    DigitsAsked,
    LegAnswered,
    LegEnded,
    NotNow,
    PlaybackDone,
    RouteDecided,
    TimerFired,
)

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
    customer.joined = ours.joined = True
    call.host = ours.id
    call.answered_at = call.now
    call.move(State.TALKING)
    call.note("call.answered", leg=ours.id)
    recording.begin(call, customer)
    call.start_timer("longest", LONGEST_CALL)


def answer_caller(call: Call) -> None:
    """A phone that we rang first has been answered by its user already."""
    first = call.caller
    if not first.answered:
        first.answered = True
        call.do(Answer(first.id))
        call.note("leg.answered", leg=first.id)


def leg_answered(call: Call, event: LegAnswered) -> None:
    leg = call.legs[event.leg]
    if leg.instead_of is not None:
        away.answered(call, leg)
    else:
        conference.answered(call, event)


def leg_ended(call: Call, event: LegEnded) -> None:
    leg = call.legs[event.leg]
    if leg.joined:
        conference.party_left(call, leg, "hung_up")
    elif leg.instead_of is not None:
        away.leg_ended(call, leg, event)
    else:
        conference.invited_leg_ended(call, leg, event)


def ring_again_where_picked_up(call: Call, event: LegEnded) -> None:
    """Who picked up while no engine was there wanted to take part: they were cut off, and are rung again (P1)."""
    leg = call.legs[event.leg]
    if leg.instead_of is not None:
        away.ring_again_where_picked_up(call, leg)
    else:
        conference.ring_again_where_picked_up(call, leg)


def timer_fired(call: Call, event: TimerFired) -> None:
    if event.name == "longest":
        call.finish(Disposition.ANSWERED, reason="longest_call", ended_by="system")
    elif event.name == "keys":
        keys.forgotten(call)
    elif event.name == "announcement" or " " in event.name:
        away.timer_fired(call, event)
    else:
        conference.timer_fired(call, event)


def asked(call: Call, event: Asked) -> None:
    """Who may ask for what is decided here, whatever a client sends (C11)."""
    match event.ask:
        case Ask.HANG_UP:
            conference.check_may_end(call, event)
            call.finish(Disposition.ANSWERED, ended_by=event.by or "user")
        case Ask.LEAVE:
            conference.leave(call, event)
        case Ask.CANCEL_INVITE:
            conference.cancel_invite(call, event)
        case Ask.MUTE | Ask.UNMUTE:
            _mute(call, event.ask is Ask.MUTE, event)
        case Ask.PAUSE_RECORDING | Ask.RESUME_RECORDING:
            conference.check_host(call, event)
            recording.pause(call, event.ask is Ask.PAUSE_RECORDING, event.by)
        case Ask.ERASE_RECORDING:
            conference.check_host(call, event)
            recording.erase(call, event.by)
        case Ask.IGNORE if call.invite is not None:
            conference.decline(call, event)
        case Ask.FORWARD | Ask.IGNORE:
            raise NotNow("The call has been answered already.")


def asked_to_end(call: Call, event: Asked) -> None:
    """Before an answer, the only thing left to ask of a call that goes out is to stop it."""
    if event.ask is not Ask.HANG_UP:
        raise NotNow("That is not possible before the call is answered.")
    call.finish(Disposition.CANCELLED, ended_by=event.by or "user")


def heard(call: Call, event: PlaybackDone) -> None:
    """Of most announcements and tones nothing follows."""
    away.heard(call, call.after_playback.pop(event.playback, ""))


def pressed(call: Call, event: DigitPressed) -> None:
    if not away.accepted(call, event):
        keys.pressed(call, event)


def route_decided(call: Call, event: RouteDecided) -> None:
    if event.purpose == "forward":
        away.route_decided(call, event)
    else:
        conference.route_decided(call, event)


def _mute(call: Call, muted: bool, event: Asked) -> None:
    """A user's own voice, in the switch: it holds whatever phone is used (V9). Who does not take part mutes nobody."""
    ours = call.party_of(event.by)
    if ours is None:
        conference.check_host(call, event)
        ours = call.legs[call.host] if call.host else None
    if ours is None or not ours.live:
        raise NotNow("There is nobody of yours in this call to mute.")
    if ours.muted is muted:
        return
    ours.muted = muted
    call.do(Mute(ours.id, muted))
    call.note("leg.muted" if muted else "leg.unmuted", leg=ours.id, by=event.by)


def send_digits(call: Call, event: DigitsAsked) -> None:
    """DTMF from the keypad on the screen to the customer's side (V8). Which digits is nobody else's business."""
    if not event.digits or len(event.digits) > LONGEST_DIGITS or not DIGITS.issuperset(event.digits):
        raise NotNow("Only the keys 0-9, *, # and A-D can be sent, 64 at most at once.", "invalid_digits")
    conference.check_takes_part(call, event)
    target = next(call.live_legs(Role.CUSTOMER), None)
    if target is None:
        raise NotNow("There is nobody to send digits to.")
    call.do(SendDigits(target.id, event.digits))
    call.note("digits.sent", leg=target.id, count=len(event.digits), by=event.by)
