"""Somebody calls one of our numbers: phones, forwarding number, message, voicemail (FEATURES I1 to I9).

Whatever rings, the caller hears ringing; whatever fails, the caller hears words. The caller who gives up
ends everything at once.
"""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import talking, trunks, words
from pbx.core.call.model import Call, Closing, Disposition, Leg, Role
from pbx.core.call.states import State
from pbx.core.causes import Cause, Result, may_try_next_trunk, result_of
from pbx.core.commands import Explanation, Ring, RingPhone
from pbx.core.events import (
    AnswerAsked,
    Arrived,
    Ask,
    Asked,
    ColleagueFound,
    DigitPressed,
    Direction,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    NotNow,
    Person,
    Phone,
    PlaybackDone,
    Route,
    RouteDecided,
    TimerFired,
)
from pbx.core.gate import Reason, Verdict

LONGEST_RING = timedelta(seconds=130)
ACCEPT_WITHIN = timedelta(seconds=20)
ACCEPT_REPEATS = 3
SILENT_WITHIN = timedelta(milliseconds=500)
_GRACE = timedelta(seconds=5)


def arrive(call: Call, event: Arrived) -> None:
    """Decide what rings first. Every reason not to ring is heard by the caller and stands in the log."""
    person = event.person
    call.direction = Direction.INTERNAL if event.from_user else Direction.INBOUND
    call.person, call.customer_number, call.from_user = person, event.caller, event.from_user
    call.language = person.language if person else event.language
    call.note(
        "call.created",
        direction=call.direction.value,
        did=event.did,
        customer=event.caller,
        customer_name=event.caller_name,
        user_id=person.user_id if person else "",
        from_user=event.from_user,
        trunk_id=event.trunk_id,
        language=call.language,
    )
    leg = call.new_leg(Role.CUSTOMER, number=event.caller, trunk_id=event.trunk_id, device_id=event.from_device)
    call.first_leg = leg.id
    if event.overloaded:
        verdict = Verdict(False, Reason.OVERLOADED)
        because = Explanation(verdict.sentence, verdict.retry_after)
        reason = verdict.reason.value
        call.finish(Disposition.REFUSED, verdict.cause, reason=reason, sip_status=503, ended_by="gate", because=because)
    elif not event.known_number:
        call.finish(Disposition.REFUSED, Cause.UNALLOCATED, reason="unknown_number", sip_status=404)
    else:
        _reach(call)


def colleague_found(call: Call, event: ColleagueFound) -> None:
    """Our user's own phone, rung first, has answered: from here on it is the caller of an internal call."""
    call.person = event.person
    call.language = event.person.language if event.person else call.language
    _reach(call)


def _reach(call: Call) -> None:
    person = call.person
    if person is None:
        call.announce(Closing(Disposition.REFUSED, Cause.UNALLOCATED, "number_without_user"), "not-in-service")
    elif person.busy:
        call.note("user.busy", user_id=person.user_id)
        words.unavailable(call, "busy")
    elif person.away:
        call.note("user.away", user_id=person.user_id)
        _pass_over(call, person)
    else:
        _ring(call)


def _pass_over(call: Call, person: Person) -> None:
    """Who is away said so: no phone rings, the forwarding number does, and without one there is nobody to wait for."""
    if not person.forwarding:
        words.unavailable(call, "away")
        return
    call.do(Ring(call.caller.id))
    _forward(call)


def _ring(call: Call) -> None:
    person = call.person
    assert person is not None
    call.do(Ring(call.caller.id))
    if not person.phones:
        call.note("user.offline", user_id=person.user_id)
        _forward(call)
        return
    call.move(State.RINGING)
    for phone in person.phones:
        ring_phone(call, phone)
    call.open_bridge()  # while the phones are being called: an answer then waits for nothing
    call.start_timer("ring", person.ring_time)


def ring_phone(call: Call, phone: Phone, *, auto_answer: bool = False) -> None:
    assert call.person is not None
    leg = call.new_leg(Role.USER, device_id=phone.device_id)
    leg.dial = phone.dial
    call.do(
        RingPhone(
            leg.id,
            phone.dial,
            caller_id=call.customer_number,
            caller_name="",
            timeout=call.person.ring_time + _GRACE,
            for_leg=call.caller.id,
            auto_answer=auto_answer,
        )
    )


# -- while the user's phones ring ------------------------------------------------------------------


def phone_answered(call: Call, event: LegAnswered) -> None:
    """The first to answer wins (I1); the others stop, told that it was answered elsewhere (RFC 3326)."""
    winner = call.legs[event.leg]
    if winner.role is Role.CUSTOMER:
        return
    call.stop_timer("ring")
    call.stop_timer("page")
    talking.connect(call, call.caller, winner)
    for leg in call.live_legs(Role.USER):
        if leg is not winner:
            call.end_leg(leg, Result.ELSEWHERE, Cause.ANSWERED_ELSEWHERE)


def leg_ended_while_ringing(call: Call, event: LegEnded) -> None:
    """A phone that says no stops ringing alone; a 6xx speaks for the user (RFC 3261, 21.6)."""
    if event.leg == call.first_leg:
        caller_gave_up(call)
        return
    if event.sip_status in (600, 603, 607):
        _stop_phones(call)
        words.unavailable(call, "busy_phone" if event.sip_status == 600 else "declined")
        return
    call.refused_by_phone |= event.sip_status == 486 or event.cause == Cause.BUSY
    if not any(call.live_legs(Role.USER)) and "page" not in call.timers:
        _rings_nowhere(call)


def _rings_nowhere(call: Call) -> None:
    call.stop_timer("ring")
    if call.refused_by_phone:
        words.unavailable(call, "busy_phone")
    else:
        _forward(call)


def rang_long_enough(call: Call, event: TimerFired) -> None:
    if event.name == "ring":
        _stop_phones(call)
        _forward(call)
    elif event.name == "silence":
        _ring_again(call)
    elif event.name == "page" and not any(call.live_legs(Role.USER)):
        _rings_nowhere(call)


def asked_while_ringing(call: Call, event: Asked) -> None:
    """Forward and Ignore on the card (I2); hanging up an incoming call before its answer ignores it."""
    if event.ask is Ask.FORWARD:
        if call.state is not State.RINGING:
            raise NotNow("The call is being forwarded already.")
        call.note("user.forwarded", by=event.by)
        _stop_phones(call)
        _forward(call)
    elif event.ask is Ask.HANG_UP and event.by and event.by == call.from_user:
        caller_gave_up(call)
    elif event.ask in (Ask.IGNORE, Ask.HANG_UP):
        call.note("user.ignored", by=event.by)
        _stop_phones(call)
        _stop_forward(call)
        words.unavailable(call, "ignored")
    else:
        raise NotNow("The call has not been answered yet.")


def asked_to_answer(call: Call, event: AnswerAsked) -> None:
    """Answer on the card (I2). No phone picks up for being told so while it rings, so all are stopped, and the one
    that was asked for is rung again, alone and with the wish that it picks up by itself.

    It is rung when the others have gone: a phone that is still ringing is busy to a second call. Its ring time
    begins anew; if nobody is there after that, the call goes on as it would have. Asked twice, it is rung once.
    """
    if event.phone == call.answer_on:
        return
    call.note("answer.asked", device_id=event.phone.device_id, by=event.by)
    _stop_phones(call, Result.CANCELLED, Cause.ANSWERED_ELSEWHERE)  # with this cause none shows a missed call
    call.answer_on = event.phone
    call.start_timer("silence", SILENT_WITHIN)  # an end that is never told must not leave the caller waiting


def stopped_phone(call: Call, event: LegRinging | LegAnswered | LegEnded | LegHeld | DigitPressed) -> None:
    """A phone that was stopped for the one that shall answer: the last to go lets that one ring.

    One that was picked up in the very moment is cut off by the switch, whatever we do; but there the user is, so
    that phone is the one that is rung again, and no other.
    """
    leg = call.legs.get(event.leg)
    if leg is None or leg.role is not Role.USER or "silence" not in call.timers:
        return
    if isinstance(event, LegAnswered) and not leg.ended:
        call.answer_on = Phone(leg.device_id, leg.dial)
        call.note("answer.picked_up", device_id=leg.device_id)
    elif isinstance(event, LegEnded) and all(each.ended for each in call.legs.values() if each.role is Role.USER):
        _ring_again(call)


def ring_again_where_picked_up(call: Call, event: LegEnded) -> None:
    """The phone was cut off when it was picked up; there the user is, so it is rung again and no other."""
    leg = call.legs[event.leg]
    if leg.role is not Role.USER:
        leg_ended_while_ringing(call, event)
        return
    call.note("answer.picked_up", device_id=leg.device_id)
    _stop_phones(call, Result.CANCELLED, Cause.ANSWERED_ELSEWHERE)
    call.answer_on = Phone(leg.device_id, leg.dial)
    call.start_timer("silence", SILENT_WITHIN)
    if all(each.ended for each in call.legs.values() if each.role is Role.USER):
        _ring_again(call)


def _ring_again(call: Call) -> None:
    assert call.person is not None and call.answer_on is not None
    call.stop_timer("silence")
    ring_phone(call, call.answer_on, auto_answer=True)
    call.start_timer("ring", call.person.ring_time)


def _stop_phones(call: Call, result: Result = Result.NO_ANSWER, cause: Cause = Cause.NO_ANSWER) -> None:
    call.stop_timer("ring")
    call.stop_timer("silence")
    call.stop_timer("page")
    call.answer_on = None
    for leg in call.live_legs(Role.USER):
        call.end_leg(leg, result, cause)


def caller_gave_up(call: Call) -> None:
    """I8: everything stops at once; a missed call."""
    call.finish(Disposition.MISSED, Cause.NORMAL, reason="caller_gave_up", ended_by="customer")


# -- the forwarding number -------------------------------------------------------------------------


def _forward(call: Call) -> None:
    """I3: on to the forwarding number, through the gate like everything that dials (P5)."""
    person = call.person
    assert person is not None
    if not person.forwarding:
        words.unreachable(call, "no_forwarding_number")
        return
    call.find_route("forward", person.forwarding)
    if call.state is not State.FORWARDING:
        call.move(State.FORWARDING)


def forward_route(call: Call, event: RouteDecided) -> None:
    call.note(
        "gate.verdict",
        purpose=event.purpose,
        number=event.number,
        allowed=event.verdict.allowed,
        reason=event.verdict.reason.value,
    )
    if not event.verdict.allowed:
        words.unreachable(call, f"forward_{event.verdict.reason.value}")
        return
    if not event.routes:
        words.unreachable(call, "forward_no_trunk")
        return
    call.routes, call.caller_id = event.routes, event.verdict.caller_id
    assert call.person is not None
    call.start_timer("forward", call.person.forward_ring_time)
    _dial_forward(call, event.number)


def _dial_forward(call: Call, number: str) -> None:
    route, call.routes = call.routes[0], call.routes[1:]
    _dial(call, number, route)


def _dial(call: Call, number: str, route: Route) -> None:
    leg = call.new_leg(Role.FORWARD, number=number, trunk_id=route.trunk_id)
    leg.dial = route.dial
    trunks.dial(call, leg, route, LONGEST_RING, for_leg=call.caller.id)


def dial_again_where_picked_up(call: Call, event: LegEnded) -> None:
    """Whoever picked up at the forwarding number was cut off: they are called back once, by the same way."""
    leg = call.legs[event.leg]
    if leg.role is Role.FORWARD:
        _dial(call, leg.number, Route(leg.trunk_id, leg.dial))
    else:
        leg_ended_while_forwarding(call, event)


def forward_answered(call: Call, event: LegAnswered) -> None:
    """A mobile's mailbox answers too: only a key pressed by a person takes the call (I3)."""
    leg = call.legs[event.leg]
    if leg.role is not Role.FORWARD:
        return
    assert call.person is not None
    call.stop_timer("forward")
    if call.person.forward_accept:
        call.move(State.ASKING)
        call.start_timer("accept", ACCEPT_WITHIN)
        _ask(call, leg)
    else:
        _take_forwarded(call, leg)


def _ask(call: Call, leg: Leg) -> None:
    call.accept_asked += 1
    call.play(leg.id, "accept-forward", then="ask")


def ask_again(call: Call, event: PlaybackDone) -> None:
    if call.after_playback.pop(event.playback, "") != "ask" or call.accept_asked >= ACCEPT_REPEATS:
        return
    leg = next(call.live_legs(Role.FORWARD), None)
    if leg is not None:
        _ask(call, leg)


def forward_accepted(call: Call, event: DigitPressed) -> None:
    leg = call.legs[event.leg]
    if leg.role is not Role.FORWARD:
        return
    call.stop_timer("accept")
    call.stop_prompts()
    call.note("forward.accepted", leg=leg.id)
    _take_forwarded(call, leg)


def _take_forwarded(call: Call, leg: Leg) -> None:
    talking.connect(call, call.caller, leg)


def forward_took_too_long(call: Call, event: TimerFired) -> None:
    if event.name not in ("forward", "accept"):
        return
    _stop_forward(call, Result.NO_ANSWER)
    words.unreachable(call, "forward_not_accepted" if event.name == "accept" else "forward_no_answer")


def leg_ended_while_forwarding(call: Call, event: LegEnded) -> None:
    if event.leg == call.first_leg:
        caller_gave_up(call)
        return
    leg = call.legs[event.leg]
    if leg.role is not Role.FORWARD:
        return
    result = result_of(event.cause, event.sip_status)
    if not leg.ringing and not leg.answered and call.routes and may_try_next_trunk(result):
        call.note("trunk.failed", trunk_id=leg.trunk_id, result=result.value)
        _dial_forward(call, leg.number)
        return
    _stop_forward(call)
    words.unreachable(call, "forward_not_accepted" if leg.answered else f"forward_{result.value}")


def _stop_forward(call: Call, unanswered: Result = Result.CANCELLED) -> None:
    call.stop_timer("forward")
    call.stop_timer("accept")
    call.stop_prompts()
    for leg in call.live_legs(Role.FORWARD):
        call.end_leg(leg, Result.NOT_ACCEPTED if leg.answered else unanswered, Cause.NORMAL)
