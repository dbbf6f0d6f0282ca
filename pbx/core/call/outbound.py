"""A user of ours calls out: from a phone, or by API through a phone that is rung first (V4 to V6, V15)."""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import talking, trunks
from pbx.core.call.model import Call, Closing, Disposition, Role
from pbx.core.call.states import State
from pbx.core.causes import Cause, Result, cause_for, may_try_next_trunk, result_of
from pbx.core.commands import Explanation, FindColleague, JoinBridge, Ring, RingPhone
from pbx.core.events import (
    Dialled,
    DialRequested,
    Direction,
    LegAnswered,
    LegEnded,
    LegRinging,
    Phone,
    PhoneLost,
    RouteDecided,
    TimerFired,
)
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import bridge_id

CUSTOMER_RINGS = timedelta(seconds=90)
OWN_PHONE_RINGS = timedelta(seconds=30)
_GRACE = timedelta(seconds=5)

_DISPOSITIONS = {
    Result.BUSY: Disposition.BUSY,
    Result.NO_ANSWER: Disposition.NO_ANSWER,
    Result.DECLINED: Disposition.REJECTED,
    Result.UNALLOCATED: Disposition.INVALID,
    Result.UNREACHABLE: Disposition.UNREACHABLE,
    Result.CANCELLED: Disposition.NO_ANSWER,
}
_WORDS = {
    Disposition.BUSY: "call-busy",
    Disposition.NO_ANSWER: "call-no-answer",
    Disposition.REJECTED: "call-rejected",
    Disposition.INVALID: "number-invalid",
}
_STATUS = {
    Reason.INVALID_NUMBER: 484,
    Reason.NO_TRUNK: 503,
    Reason.OVERLOADED: 503,
    Reason.ORG_BUSY_LIMIT: 503,
}


def dialled(call: Call, event: Dialled) -> None:
    """A phone dialled: its leg waits while the gate decides."""
    _created(call, event.person.user_id, event.person.did, event.number, event.dialled, event.device_id, "phone")
    call.person, call.language = event.person, event.person.language
    leg = call.new_leg(Role.USER, device_id=event.device_id)
    call.first_leg = leg.id
    call.find_route("customer", event.number)


def requested(call: Call, event: DialRequested) -> None:
    """By API: the gate decides before any phone rings."""
    if event.colleague:
        _requested_inside(call, event)
        return
    via = "device" if event.phone else "forwarding"
    device = event.phone.device_id if event.phone else ""
    _created(call, event.person.user_id, event.person.did, event.number, event.dialled, device, via)
    call.person, call.language = event.person, event.person.language
    call.listed, call.home = event.listed, event.home
    leg = call.new_leg(Role.USER, device_id=device, number="" if event.phone else event.person.forwarding)
    call.first_leg = leg.id
    call.user_phone = event.phone
    call.find_route("customer", event.number)


def _requested_inside(call: Call, event: DialRequested) -> None:
    """To a colleague, as if a phone had dialled it: our user's own phone is rung first, and once it has answered it is
    the caller of an internal call. Nothing leaves but a call to the own forwarding number: of that the gate is asked.
    """
    person = event.person
    call.direction, call.via = Direction.INTERNAL, "device" if event.phone else "forwarding"
    call.person, call.language, call.from_user = person, person.language, person.user_id
    call.inside, call.customer_number, call.user_phone = event.number, person.did, event.phone
    call.note(
        "call.created",
        direction=call.direction.value,
        did=event.number,
        customer=person.did,
        customer_name=person.name,
        user_id=event.colleague,
        from_user=person.user_id,
        requested_by=event.requested_by,
    )
    if event.phone:
        leg = call.new_leg(Role.CUSTOMER, number=person.did, device_id=event.phone.device_id)
    else:
        leg = call.new_leg(Role.CUSTOMER, number=person.forwarding)
    call.first_leg = leg.id
    if event.overloaded:
        _refuse(call, Verdict(False, Reason.OVERLOADED))
    else:
        _go(call)


def _created(call: Call, user_id: str, did: str, number: str, dialled: str, device_id: str, via: str) -> None:
    call.direction, call.customer_number, call.via = Direction.OUTBOUND, number, via
    call.note(
        "call.created",
        direction=call.direction.value,
        did=did,
        customer=number,
        dialled=dialled,
        user_id=user_id,
        device_id=device_id,
        via=via,
    )


def route_decided(call: Call, event: RouteDecided) -> None:
    """The gate has spoken: on the number itself, or on the user's own forwarding number."""
    call.note(
        "gate.verdict",
        purpose=event.purpose,
        number=event.number,
        allowed=event.verdict.allowed,
        reason=event.verdict.reason.value,
    )
    if not event.verdict.allowed:
        _refuse(call, event.verdict)
    elif not event.routes:
        _no_way_out(call)
    elif event.purpose == "own_forwarding":
        call.own_routes, call.caller_id = event.routes, call.caller_id or event.verdict.caller_id
        _ring_forwarding(call)
    else:
        call.routes, call.caller_id = event.routes, event.verdict.caller_id
        call.emergency = event.verdict.reason is Reason.EMERGENCY
        _go(call)


def _refuse(call: Call, verdict: Verdict) -> None:
    call.refusal, call.refused_because = verdict.reason, verdict.sentence
    call.note("call.refused", reason=verdict.reason.value, sentence=verdict.sentence)
    call.finish(
        Disposition.REFUSED,
        verdict.cause,
        reason=verdict.reason.value,
        ended_by="gate",
        sip_status=_STATUS.get(verdict.reason, 403),
        because=Explanation(verdict.sentence, verdict.retry_after),
    )


def _no_way_out(call: Call) -> None:
    """An emergency number passes the gate even where every trunk is gone: its caller is told so in words."""
    closing = Closing(Disposition.UNREACHABLE, Cause.CONGESTION, "no_trunk")
    if call.via == "phone":
        call.announce(closing, "call-failed")
    else:
        call.finish(closing.disposition, closing.cause, reason=closing.reason, ended_by="system", sip_status=503)


def _go(call: Call) -> None:
    if call.via == "phone":
        _dial_customer(call)
        return
    call.move(State.PREPARING)
    call.start_timer("own", OWN_PHONE_RINGS)
    assert call.person is not None
    if call.user_phone is not None:
        _ring_own_phone(call, call.user_phone)
    else:
        call.find_route("own_forwarding", call.person.forwarding)


def _ring_own_phone(call: Call, phone: Phone) -> None:
    call.do(
        RingPhone(
            call.caller.id,
            phone.dial,
            caller_id=call.inside or call.customer_number,
            caller_name="",
            timeout=OWN_PHONE_RINGS + _GRACE,
            auto_answer=True,
        )
    )


def ring_again_where_picked_up(call: Call, event: LegEnded) -> None:
    """The user's own phone was cut off when it was picked up: it is rung again."""
    if event.leg != call.first_leg or call.user_phone is None:
        leg_ended_while_preparing(call, event)
        return
    leg = call.caller
    call.first_leg = call.new_leg(leg.role, number=leg.number, device_id=leg.device_id).id
    _ring_own_phone(call, call.user_phone)


def _ring_forwarding(call: Call) -> None:
    route, call.own_routes = call.own_routes[0], call.own_routes[1:]
    trunks.dial(call, call.caller, route, OWN_PHONE_RINGS + _GRACE)


def user_answered(call: Call, event: LegAnswered) -> None:
    if event.leg == call.first_leg:
        call.stop_timer("own")
        if call.inside:
            call.do(FindColleague(call.inside))
        else:
            _dial_customer(call)


def user_did_not_answer(call: Call, event: TimerFired) -> None:
    if event.name == "own":
        call.finish(Disposition.CANCELLED, Cause.NO_ANSWER, reason="own_phone_no_answer", ended_by="system")


def leg_ended_while_preparing(call: Call, event: LegEnded) -> None:
    leg = call.legs[event.leg]
    result = result_of(event.cause, event.sip_status)
    if not leg.ringing and call.own_routes and may_try_next_trunk(result):
        call.note("trunk.failed", trunk_id=leg.trunk_id, result=result.value)
        call.first_leg = call.new_leg(leg.role, number=leg.number, trunk_id=call.own_routes[0].trunk_id).id
        _ring_forwarding(call)
        return
    call.finish(Disposition.CANCELLED, reason=f"own_phone_{result.value}", ended_by="user")


def _dial_customer(call: Call) -> None:
    """Both sides are in the bridge before the far end answers anything, so that early media passes both ways.

    The dial comes first: Asterisk makes the far leg while it makes the bridge, and the caller waits for neither twice.
    """
    if call.state is not State.DIALLING:
        call.move(State.DIALLING)
        call.start_timer("customer", CUSTOMER_RINGS)
    route, call.routes = call.routes[0], call.routes[1:]
    leg = call.new_leg(Role.CUSTOMER, number=call.customer_number, trunk_id=route.trunk_id)
    trunks.dial(call, leg, route, CUSTOMER_RINGS + _GRACE, bridge_id(call.id), call.caller.id)
    if call.bridge is None:
        call.do(JoinBridge(call.open_bridge(), (call.caller.id,)))


def customer_rings(call: Call, event: LegRinging) -> None:
    """Where our user's phone is answered already (rung first), ringing must be played to it."""
    if call.legs[event.leg].role is Role.CUSTOMER and call.caller.answered:
        call.do(Ring(call.caller.id))


def customer_answered(call: Call, event: LegAnswered) -> None:
    leg = call.legs[event.leg]
    if leg.role is not Role.CUSTOMER:
        return
    call.stop_timer("customer")
    talking.connect(call, leg, call.caller, joined=True)


def customer_did_not_answer(call: Call, event: TimerFired) -> None:
    if event.name != "customer":
        return
    for leg in call.live_legs(Role.CUSTOMER):
        call.end_leg(leg, Result.NO_ANSWER, Cause.NO_ANSWER)
    _tell(call, Result.NO_ANSWER, None)


def leg_ended_while_dialling(call: Call, event: LegEnded) -> None:
    leg = call.legs[event.leg]
    if leg.role is Role.USER:
        call.finish(Disposition.CANCELLED, ended_by="user", reason="user_gave_up")
        return
    result = result_of(event.cause, event.sip_status)
    if not leg.ringing and call.routes and (call.emergency or may_try_next_trunk(result)):
        call.note("trunk.failed", trunk_id=leg.trunk_id, result=result.value)
        _dial_customer(call)
        return
    _tell(call, result, event.sip_status)


def _tell(call: Call, result: Result, sip_status: int | None) -> None:
    """Busy, no answer, rejected and unreachable are told apart: as a status to a phone that waits for one, in
    words to one that was answered (rung first) or made an emergency call, and in the log."""
    disposition = _DISPOSITIONS.get(result, Disposition.FAILED)
    cause = cause_for(result)
    if not call.caller.answered and not call.emergency:
        call.finish(disposition, cause, reason=result.value, sip_status=sip_status, ended_by="network")
        return
    call.stop_timer("customer")
    call.announce(Closing(disposition, cause, result.value), _WORDS.get(disposition, "call-failed"))


def page_lost(call: Call, event: PhoneLost) -> None:
    """Nobody would be there when the customer picks up: better that it stops ringing there. Help is called on."""
    leg = call.legs.get(event.leg)
    if leg is None or not leg.live or leg.id != call.first_leg or call.emergency:
        return
    call.note("phone.lost", leg=leg.id, user_id=leg.user_id, device_id=leg.device_id, how=event.how, wait_ms=0)
    call.finish(Disposition.CANCELLED, reason="phone_lost", ended_by="system")


def gone_before_dialling(call: Call, event: LegEnded) -> None:
    call.finish(Disposition.CANCELLED, ended_by="user", reason="user_gave_up")
