"""Voicemail drop: the user's own message plays on into the customer's mailbox, while the user goes on to the next (L2).

The call ends when the message has been heard, or when the mailbox has had enough.
"""

from __future__ import annotations

from pbx.core.call import conference, music, recording
from pbx.core.call.model import LONGEST_WORDS, Call, Closing, Disposition, Leg, Role
from pbx.core.call.states import State
from pbx.core.causes import Cause, Result
from pbx.core.events import Ask, Asked, Direction, DropAsked, LegEnded, NotNow, PlaybackDone, TimerFired

REASON = "voicemail_drop"


def asked(call: Call, event: DropAsked) -> None:
    conference.check_host(call, event)
    customer, ours = _the_two(call)
    call.stop_prompts()
    call.end_leg(ours, Result.ANSWERED, Cause.NORMAL)
    ours.joined = False
    recording.party_gone(call, ours)
    call.keys.pop(ours.id, None)
    call.host = None
    call.note("party.left", leg=ours.id, user_id=ours.user_id, how="drop", by=event.by)
    call.closing = Closing(Disposition.ANSWERED, Cause.NORMAL, REASON)
    if customer.unaccompanied:  # the phone was holding
        customer.unaccompanied = False
        music.place(call, customer)
    call.move(State.DROPPING)
    call.note("drop.started", drop=event.drop_id, leg=customer.id, user_id=ours.user_id, by=event.by)
    call.start_timer("announcement", LONGEST_WORDS)
    call.play(customer.id, event.sound, then="drop")


def _the_two(call: Call) -> tuple[Leg, Leg]:
    """The customer and our user, where these two are all there is."""
    customer = next((leg for leg in call.parties() if leg.role is Role.CUSTOMER), None)
    ours = call.legs[call.host] if call.host is not None else None
    if call.direction is not Direction.OUTBOUND or customer is None or ours is None:
        raise NotNow("A message can be left where you have called somebody.", "no_drop")
    busy = call.invite is not None or bool(call.away) or call.transfer is not None
    if busy or len(call.parties()) != 2 or customer.on_hold:
        raise NotNow("A message can be left only while you are alone with the other side.", "no_drop")
    return customer, ours


def heard(call: Call, event: PlaybackDone) -> None:
    if call.after_playback.pop(event.playback, "") == "drop":
        call.note("drop.played")
        _end(call, "system")


def customer_left(call: Call, event: LegEnded) -> None:
    if call.legs[event.leg].role is Role.CUSTOMER:
        call.legs[event.leg].joined = False
        _end(call, "customer")


def overdue(call: Call, event: TimerFired) -> None:
    if event.name in ("announcement", "longest"):
        _end(call, "system")


def asked_meanwhile(call: Call, event: Asked) -> None:
    if event.ask is not Ask.HANG_UP:
        raise NotNow("The message is being left. You can only end it.")
    _end(call, event.by or "user")


def _end(call: Call, ended_by: str) -> None:
    call.finish(Disposition.ANSWERED, reason=REASON, ended_by=ended_by)
