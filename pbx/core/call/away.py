"""A user takes part and has lost the page with the phone: reloaded, closed, crashed, asleep (P4). The call goes on.

Where another user of ours is there to talk to, the others talk on; else they hear music. The user's place is kept, and
with it host or guest, hold and mute: a page that registers is rung at once and takes it again. Where none comes, other
phones of the user ring, then the forwarding number, if it is the user's own call; where nobody takes it, it is as if
that user had left, and who is left alone hears that nobody can be reached now.

Nobody who was invited is forwarded (C5), and the recording goes on through all of it.
"""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import conference, inbound, music, recording, trunks
from pbx.core.call.conference import AWAY, OTHERS
from pbx.core.call.model import LONGEST_WORDS, Away, Call, Closing, Disposition, Leg, Role
from pbx.core.causes import Cause, Result, may_try_next_trunk, result_of
from pbx.core.commands import JoinBridge, Mute, RingPhone
from pbx.core.events import DigitPressed, LegEnded, Phone, PhoneBack, PhoneLost, Route, RouteDecided, TimerFired
from pbx.core.ids import Instant, LegId

PAGE_ANSWERS = timedelta(seconds=10)
"""A page that is back answers by itself; it may have to ask its user for the microphone first."""
OTHERS_RING = timedelta(seconds=60)
FAREWELL = "farewell"
REASON = "phone_lost"


def lost(call: Call, event: PhoneLost) -> None:
    leg = call.legs.get(event.leg)
    if leg is None or not leg.live:
        return
    if not leg.joined:
        _page_lost_that_rang(call, leg)
    elif not _has_a_place(call, leg):
        call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)
        conference.party_left(call, leg, "lost")
    else:
        _keep_place(call, leg, event)


def _has_a_place(call: Call, leg: Leg) -> bool:
    """Not who hands the call on, nor a user who is there twice."""
    twice = any(each is not leg and each.user_id == leg.user_id for each in call.parties())
    return bool(leg.user_id) and not twice and call.transfer is None and call.closing is None


def _page_lost_that_rang(call: Call, leg: Leg) -> None:
    if leg.instead_of is not None:
        call.end_leg(leg, Result.UNREACHABLE, Cause.NORMAL)
    else:
        conference.invited_page_lost(call, leg)


def _keep_place(call: Call, leg: Leg, event: PhoneLost) -> None:
    until = call.now + (event.wait + PAGE_ANSWERS) // timedelta(microseconds=1)
    call.away[leg.id] = Away(Instant(until), event.others)
    call.note(
        "phone.lost",
        leg=leg.id,
        user_id=leg.user_id,
        device_id=leg.device_id,
        how=event.how,
        wait_ms=event.wait // timedelta(milliseconds=1),
    )
    leg.joined = False
    recording.party_gone(call, leg)
    recording.tell_apart(call)
    call.keys.pop(leg.id, None)
    call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)
    call.start_timer(f"{AWAY} {leg.id}", event.wait)
    if event.others and event.others_after:
        call.start_timer(f"{OTHERS} {leg.id}", event.others_after)


# -- back ------------------------------------------------------------------------------------------


def back(call: Call, event: PhoneBack) -> None:
    """The page is rung at once, and told that it is to answer by itself."""
    name = next((name for name in call.away if call.legs[name].user_id == event.user_id), None)
    if name is None:
        conference.ring_page_as_well(call, event)
        return
    if any(leg.instead_of == name and leg.dial == event.phone.dial for leg in call.live_legs()):
        return
    _ring(call, name, event.phone, PAGE_ANSWERS, rejoins=True)
    _give_time(call, name)


def _give_time(call: Call, name: LegId) -> None:
    """To answer; but not again and again."""
    timer = f"{AWAY} {name}"
    wanted = min(call.now + PAGE_ANSWERS // timedelta(microseconds=1), call.away[name].until)
    if timer in call.timers and not call.away[name].forwarded and wanted > call.timers[timer]:
        call.start_timer(timer, timedelta(microseconds=wanted - call.now))


def _ring(call: Call, name: LegId, phone: Phone, rings: timedelta, *, rejoins: bool = False) -> None:
    before = call.legs[name]
    leg = call.new_leg(before.role, number=before.number, device_id=phone.device_id, user_id=before.user_id)
    leg.dial, leg.instead_of = phone.dial, name
    call.do(RingPhone(leg.id, phone.dial, call.customer_number, "", rings, auto_answer=rejoins, rejoins=rejoins))


def answered(call: Call, leg: Leg) -> None:
    """The first to answer has the place; at the forwarding number a person must take it, as always (I3)."""
    name = leg.instead_of
    assert name is not None
    if name not in call.away:
        call.end_leg(leg, Result.ELSEWHERE, Cause.ANSWERED_ELSEWHERE)
    elif leg.role is Role.FORWARD and call.person is not None and call.person.forward_accept:
        call.start_timer(f"{AWAY} {name}", inbound.ACCEPT_WITHIN)
        call.accept_asked = 0
        _ask(call, leg)
    else:
        _take_place(call, leg, name)


def _take_place(call: Call, leg: Leg, name: LegId) -> None:
    before = call.legs[name]
    leg.instead_of, leg.joined, leg.on_hold = None, True, before.on_hold
    conference.not_awaited(call, before)
    call.do(JoinBridge(call.open_holding() if leg.on_hold else call.open_bridge(), (leg.id,)))
    call.host = leg.id if call.host == name else call.host
    call.guest = leg.id if call.guest == name else call.guest
    call.note("phone.back", leg=leg.id, before=name, user_id=leg.user_id, device_id=leg.device_id, number=leg.number)
    if leg.on_hold:
        call.note("leg.held", leg=leg.id, by="host")
    if before.muted:
        leg.muted = True
        call.do(Mute(leg.id, True))
        call.note("leg.muted", leg=leg.id, by=leg.user_id)
    if leg.on_hold and leg.role is Role.CUSTOMER:
        recording.private(call, True)
    recording.tell_apart(call)


def ring_again_where_picked_up(call: Call, leg: Leg) -> None:
    name = leg.instead_of
    if name is None or name not in call.away:
        return
    if leg.role is Role.FORWARD:
        _dial_forward_by(call, name, leg.number, Route(leg.trunk_id, leg.dial))
        return
    _ring(call, name, Phone(leg.device_id, leg.dial), PAGE_ANSWERS, rejoins=True)
    _give_time(call, name)


def leg_ended(call: Call, leg: Leg, event: LegEnded) -> None:
    """Of those that ring only the forwarding number is waited for; pages and phones have their time."""
    name = leg.instead_of
    if name is None or name not in call.away or leg.role is not Role.FORWARD:
        return
    result = result_of(event.cause, event.sip_status)
    if not leg.ringing and not leg.answered and call.routes and may_try_next_trunk(result):
        call.note("trunk.failed", trunk_id=leg.trunk_id, result=result.value)
        _dial_forward(call, name, leg.number)
        return
    _nobody(call, name, "forward_not_accepted" if leg.answered else f"forward_{result.value}")


# -- nobody comes back -----------------------------------------------------------------------------


def timer_fired(call: Call, event: TimerFired) -> None:
    timer, _, name = event.name.partition(" ")
    lost_leg = LegId(name)
    if event.name == "announcement":
        _end(call)
    elif lost_leg not in call.away:
        return
    elif timer == OTHERS:
        for phone in call.away[lost_leg].others:
            _ring(call, lost_leg, phone, OTHERS_RING)
    elif call.away[lost_leg].forwarded:
        _nobody(call, lost_leg, "forward_no_answer")
    else:
        _waited_long_enough(call, lost_leg)


def _waited_long_enough(call: Call, name: LegId) -> None:
    """The own call of a user, in which no colleague is left to take it, goes to the forwarding number."""
    person, before = call.person, call.legs[name]
    colleague = any(leg.user_id for leg in call.parties())
    if colleague or person is None or before.user_id != person.user_id or not person.forwarding:
        _nobody(call, name, "")
        return
    call.away[name].forwarded = True
    call.find_route("forward", person.forwarding)


def route_decided(call: Call, event: RouteDecided) -> None:
    name = next((name for name, away in call.away.items() if away.forwarded), None)
    if name is None:
        return
    call.note(
        "gate.verdict",
        purpose=event.purpose,
        number=event.number,
        allowed=event.verdict.allowed,
        reason=event.verdict.reason.value,
    )
    if not event.verdict.allowed or not event.routes:
        _nobody(call, name, event.verdict.reason.value if not event.verdict.allowed else "forward_no_trunk")
        return
    call.routes, call.caller_id = event.routes, event.verdict.caller_id
    assert call.person is not None
    call.start_timer(f"{AWAY} {name}", call.person.forward_ring_time)
    _dial_forward(call, name, event.number)


def _dial_forward(call: Call, name: LegId, number: str) -> None:
    route, call.routes = call.routes[0], call.routes[1:]
    _dial_forward_by(call, name, number, route)


def _dial_forward_by(call: Call, name: LegId, number: str, route: Route) -> None:
    leg = call.new_leg(Role.FORWARD, number=number, trunk_id=route.trunk_id)
    leg.instead_of, leg.dial = name, route.dial
    trunks.dial(call, leg, route, inbound.LONGEST_RING)


def _ask(call: Call, leg: Leg) -> None:
    call.accept_asked += 1
    call.play(leg.id, "accept-forward", then=f"ask {leg.id}")


def accepted(call: Call, event: DigitPressed) -> bool:
    """A key at the forwarding number; tells whether it was one that takes the call."""
    leg = call.legs[event.leg]
    if leg.role is not Role.FORWARD or leg.instead_of not in call.away or not leg.answered:
        return False
    assert leg.instead_of is not None
    call.note("forward.accepted", leg=leg.id)
    call.stop_prompts()
    _take_place(call, leg, leg.instead_of)
    return True


def heard(call: Call, then: str) -> None:
    """What follows the words that have been heard, if anything does."""
    what, _, name = then.partition(" ")
    if what == FAREWELL:
        _end(call)
    elif what == "ask" and call.accept_asked < inbound.ACCEPT_REPEATS:
        leg = call.legs[LegId(name)]
        if leg.live and leg.instead_of in call.away:
            _ask(call, leg)


def _nobody(call: Call, name: LegId, reason: str) -> None:
    """As if the user had left; but who would be left alone is told why."""
    before = call.legs[name]
    conference.not_awaited(call, before)
    call.note("phone.given_up", leg=name, user_id=before.user_id, reason=reason)
    users = any(leg.user_id for leg in [*call.parties(), *(call.legs[each] for each in call.away)])
    if call.parties() and (call.present < 2 or (not users and not call.unattended)):
        call.note("party.left", leg=name, user_id=before.user_id, how="lost", by="")
        conference.guest_gone(call, before)
        _say_goodbye(call)
    else:
        conference.party_left(call, before, "lost")


def _say_goodbye(call: Call) -> None:
    conference.stop_inviting(call)
    call.closing = Closing(Disposition.ANSWERED, Cause.NORMAL, REASON)
    conference.hold_nobody(call)
    music.settle(call)
    call.note("announcement", prompt="unavailable", reason=REASON)
    call.start_timer("announcement", LONGEST_WORDS)
    call.play(call.open_bridge(), "unavailable", then=FAREWELL)


def _end(call: Call) -> None:
    assert call.closing is not None
    call.finish(call.closing.disposition, call.closing.cause, reason=call.closing.reason, ended_by="system")
