"""Three in a conversation (C1 to C13): customer, host and one guest, in the bridge that the call has anyway.

Nothing that is done about one party interrupts what the others hear. Whoever is host is a user of ours; a call without
a user goes on only for as long as a setting allows, and a call with one party left ends.
"""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import music, recording, trunks
from pbx.core.call.model import Call, Disposition, Invite, Leg, Role
from pbx.core.causes import Cause, Result, may_try_next_trunk, result_of
from pbx.core.commands import GiveBackRoute, JoinBridge, Ring, RingPhone
from pbx.core.events import (
    Asked,
    DigitsAsked,
    DropAsked,
    Guest,
    GuestKind,
    InviteAsked,
    LegAnswered,
    LegEnded,
    NotNow,
    PartyAsk,
    PartyAsked,
    PhoneBack,
    Route,
    RouteDecided,
    TimerFired,
)
from pbx.core.ids import LegId

OUTSIDE_RINGS = timedelta(seconds=60)
_GRACE = timedelta(seconds=5)
REFUSED_TONE = "keys-refused"
AWAY, OTHERS = "away", "others"  # timers for each who has lost the page, named with the leg
_FOR_ALL = (600, 603, 607)  # one phone's word for its user (RFC 3261, 21.6)


# -- who may do what (C11) -------------------------------------------------------------------------


def check_host(call: Call, event: Asked | PartyAsked | InviteAsked | DropAsked) -> None:
    """Raises NotNow for everybody but the host. An admin may act for the host, the engine for itself."""
    if event.admin or not event.by or _is_host(call, event.by):
        return
    raise NotNow("Only the host of the call may do this.", "host_only")


def check_may_end(call: Call, event: Asked) -> None:
    """While there are two, either user may end the call; with a guest it is the host's to end it for all (C10)."""
    if call.guest is None and call.present <= 2 and call.place_of(event.by) is not None:
        return
    try:
        check_host(call, event)
    except NotNow as refused:
        raise NotNow("Only the host may end the call for all. You can leave it.", refused.code) from None


def check_takes_part(call: Call, event: DigitsAsked) -> None:
    """Raises NotNow for who is being rung, has left or was never there."""
    inside = (leg.user_id for leg in call.live_legs() if leg.joined or leg.id == call.first_leg)
    if not event.admin and event.by and event.by not in inside:
        raise NotNow("Only who takes part in this call may do this.", "host_only")


def _is_host(call: Call, user_id: str) -> bool:
    return call.host is not None and call.legs[call.host].user_id == user_id


def _inviting(call: Call, event: InviteAsked) -> Leg:
    """The leg of who invites. Two users in a call of their own are equals: who first invites is the host."""
    asking = call.party_of(event.by)
    equals = len(call.parties()) == 2 and call.invite is None and not call.away
    if asking is not None and not asking.on_hold and equals:
        return asking
    check_host(call, event)
    if call.host is None:
        raise NotNow("There is no user left in this call who could be its host.", "no_host")
    if not call.legs[call.host].joined:
        raise NotNow("The host's phone is reconnecting. Invite when it is back.", "reconnecting")
    return call.legs[call.host]


# -- inviting (C1 to C5) ---------------------------------------------------------------------------


def invite(call: Call, event: InviteAsked, *, keyed: LegId | None = None) -> None:
    """Ring a guest; the others talk on. ``keyed`` is the leg on which it was asked for by keys."""
    guest = event.guest
    host = _inviting(call, event)
    _check_free(call, guest)
    if call.host != host.id:
        _make_host(call, host)
    recording.tell_apart(call)
    call.unattended = event.unattended
    call.invite = Invite(guest, event.by or host.user_id, keyed)
    call.note(
        "invite.created",
        guest_kind=guest.kind.value,
        guest=guest.id,
        name=guest.name,
        number=guest.number,
        by=event.by,
    )
    if guest.kind is GuestKind.NUMBER:
        call.find_route("invite", guest.number, host.user_id)
        return
    _ring_phones(call, guest)


def ring_guest(call: Call, guest: Guest, by: str) -> None:
    """Ring somebody for a call that has no host at this moment: who handed it on, and shall take it back."""
    call.invite = Invite(guest, by)
    call.note(
        "invite.created", guest_kind=guest.kind.value, guest=guest.id, name=guest.name, number=guest.number, by=by
    )
    _ring_phones(call, guest)


def _ring_phones(call: Call, guest: Guest) -> None:
    call.start_timer("invite", guest.ring_time)
    for each in guest.phones:
        if call.place_of(each.user_id) is None:
            _ring(call, call.new_leg(Role.GUEST, device_id=each.phone.device_id, user_id=each.user_id), each.phone.dial)


def _check_free(call: Call, guest: Guest) -> None:
    if call.invite is not None:
        raise NotNow("Somebody is being invited already. Cancel that first.", "invite_pending")
    if call.guest is not None:
        raise NotNow("There is a guest in this call already. One at a time.", "guest_present")
    if guest.kind is GuestKind.NUMBER:
        return
    if guest.kind is GuestKind.USER and call.place_of(guest.id) is not None:
        raise NotNow(f"{guest.name} is in this call already.", "already_in_call")
    if guest.busy:
        raise NotNow(f"{guest.name} is on a call.", "guest_busy")
    if all(call.place_of(each.user_id) is not None for each in guest.phones):
        whose = "Nobody in this group can be reached now." if guest.kind is GuestKind.GROUP else ""
        raise NotNow(whose or f"No phone of {guest.name} is registered now.", "guest_unreachable")


def _ring(call: Call, leg: Leg, dial: str, *, auto_answer: bool = False) -> None:
    invited = call.invite
    assert invited is not None
    leg.dial = dial
    host = call.legs[call.host] if call.host is not None else None
    shown = (host.number if host else "") or (call.person.did if call.person else "")
    rings = invited.guest.ring_time + _GRACE
    call.do(RingPhone(leg.id, dial, shown, "", rings, _in_whose_name(call), auto_answer))


def route_decided(call: Call, event: RouteDecided) -> None:
    """The gate's word on an outside guest: a call of its own, with the host's number (C3)."""
    invited = call.invite
    if invited is None or event.purpose != "invite":
        return
    call.note(
        "gate.verdict",
        purpose=event.purpose,
        number=event.number,
        allowed=event.verdict.allowed,
        reason=event.verdict.reason.value,
    )
    if not event.verdict.allowed or not event.routes:
        call.refusal = event.verdict.reason if not event.verdict.allowed else None
        _over(call, Result.DECLINED, event.verdict.reason.value if not event.verdict.allowed else "no_trunk")
        return
    call.refusal = None
    invited.routes, invited.caller_id = event.routes, event.verdict.caller_id
    call.start_timer("invite", OUTSIDE_RINGS)
    _dial(call, invited)


def _dial(call: Call, invited: Invite) -> None:
    route, invited.routes = invited.routes[0], invited.routes[1:]
    _dial_by(call, invited, route)


def _dial_by(call: Call, invited: Invite, route: Route) -> None:
    leg = call.new_leg(Role.GUEST, number=invited.guest.number, trunk_id=route.trunk_id)
    leg.dial = route.dial
    rings, host = OUTSIDE_RINGS + _GRACE, _in_whose_name(call)
    trunks.dial(call, leg, route, rings, for_leg=host, caller_id=invited.caller_id)


def _in_whose_name(call: Call) -> LegId | None:
    """The host's leg, while it is there."""
    return call.host if call.host is not None and call.legs[call.host].live else None


def answered(call: Call, event: LegAnswered) -> None:
    """The first phone to answer is the guest; the others stop."""
    leg = call.legs[event.leg]
    invited = call.invite
    if invited is None or leg.role is not Role.GUEST:
        return
    call.stop_timer("invite")
    call.invite = None
    for other in _ringing(call):
        if other is not leg:
            call.end_leg(other, Result.ELSEWHERE, Cause.ANSWERED_ELSEWHERE)
    call.do(JoinBridge(call.open_bridge(), (leg.id,)))
    guest_joined(call, leg, invited.guest.name)


def guest_joined(call: Call, leg: Leg, name: str) -> None:
    """The leg is in the bridge: a party like the others."""
    leg.joined = True
    call.guest = leg.id
    call.note("guest.joined", leg=leg.id, user_id=leg.user_id, number=leg.number, name=name)
    recording.tell_apart(call)
    if call.recording is not None and call.person is not None and call.person.recording.announce:
        call.play(leg.id, call.person.recording.told)


def _ringing(call: Call) -> list[Leg]:
    return [leg for leg in call.live_legs(Role.GUEST) if not leg.joined and leg.instead_of is None]


def invited_page_lost(call: Call, leg: Leg) -> None:
    """The page at which it rang is gone. The invitation stands: another page may be there in a moment (P4)."""
    call.end_leg(leg, Result.UNREACHABLE, Cause.NORMAL)
    if call.invite is not None and not _ringing(call):
        call.invite.awaited = True


def ring_page_as_well(call: Call, event: PhoneBack) -> None:
    """A page that is new while its user is being invited rings like the others."""
    rung = [leg for leg in call.legs.values() if leg.role is Role.GUEST and leg.user_id == event.user_id]
    dials = {leg.dial for leg in rung if leg.live}
    if call.invite is None or not rung or event.phone.dial in dials or call.place_of(event.user_id) is not None:
        return
    if not any(each.user_id == event.user_id for each in call.invite.guest.phones):
        return
    call.invite.awaited = False
    leg = call.new_leg(Role.GUEST, device_id=event.phone.device_id, user_id=event.user_id)
    _ring(call, leg, event.phone.dial)


def ring_again_where_picked_up(call: Call, leg: Leg) -> None:
    """Picked up while no engine was there, and cut off: that phone is rung again and no other, that number called back
    by the same way (P1)."""
    invited = call.invite
    if invited is None or leg.role is not Role.GUEST:
        return
    for other in _ringing(call):
        call.end_leg(other, Result.ELSEWHERE, Cause.ANSWERED_ELSEWHERE)
    if leg.trunk_id:
        call.start_timer("invite", OUTSIDE_RINGS)
        _dial_by(call, invited, Route(leg.trunk_id, leg.dial))
        return
    call.start_timer("invite", invited.guest.ring_time)
    again = call.new_leg(Role.GUEST, device_id=leg.device_id, user_id=leg.user_id)
    _ring(call, again, leg.dial, auto_answer=True)


def invited_leg_ended(call: Call, leg: Leg, event: LegEnded) -> None:
    """Busy, declined, no answer and unreachable are told apart (C4)."""
    invited = call.invite
    if invited is None or leg.role is not Role.GUEST:
        return
    result = result_of(event.cause, event.sip_status)
    if invited.routes and not leg.ringing and may_try_next_trunk(result):
        call.note("trunk.failed", trunk_id=leg.trunk_id, result=result.value)
        _dial(call, invited)
        return
    speaks_for_all = event.sip_status in _FOR_ALL and invited.guest.kind is not GuestKind.GROUP
    invited.refused = _plainest(invited.refused, result)
    if speaks_for_all or not _ringing(call):
        _over(call, result if speaks_for_all else invited.refused)


def _plainest(before: Result | None, now: Result) -> Result:
    """Of what several phones said, a person's word goes before a silence."""
    said = (Result.DECLINED, Result.BUSY)
    return before if before in said and now not in said else now


def _over(call: Call, result: Result, reason: str = "", by: str = "") -> None:
    """The invitation has come to nothing."""
    invited = call.invite
    if invited is None:
        return
    call.stop_timer("invite")
    call.invite = None
    cause = Cause.NO_ANSWER if result is Result.NO_ANSWER else Cause.NORMAL
    for leg in _ringing(call):
        call.end_leg(leg, Result.CANCELLED if result is Result.CANCELLED else result, cause)
    call.note("invite.ended", guest=invited.guest.id, result=result.value, reason=reason, by=by)
    if invited.guest.kind is GuestKind.NUMBER:
        call.do(GiveBackRoute("invite"))
    if invited.keyed is not None and result is not Result.CANCELLED and call.legs[invited.keyed].joined:
        call.play(invited.keyed, REFUSED_TONE)


def stop_inviting(call: Call) -> None:
    _over(call, Result.CANCELLED)


def cancel_invite(call: Call, event: Asked) -> None:
    check_host(call, event)
    if call.invite is None:
        raise NotNow("Nobody is being invited now.", "no_invite")
    _over(call, Result.CANCELLED, by=event.by)


def decline(call: Call, event: Asked) -> None:
    """Ignore on the card of an invited user: this user's phones stop; those of others of the group ring on."""
    theirs = [leg for leg in _ringing(call) if leg.user_id == event.by]
    if not theirs:
        raise NotNow("This call does not ring on your phones.", "not_ringing")
    for leg in theirs:
        call.end_leg(leg, Result.DECLINED, Cause.NORMAL)
    assert call.invite is not None
    call.invite.refused = Result.DECLINED
    if not _ringing(call):
        _over(call, Result.DECLINED, by=event.by)


def timer_fired(call: Call, event: TimerFired) -> None:
    if event.name == "invite":
        _over(call, Result.NO_ANSWER)
    elif event.name == "unattended":
        call.finish(Disposition.ANSWERED, reason="unattended", ended_by="system")


# -- about one party (C6, C7) ----------------------------------------------------------------------


def party_asked(call: Call, event: PartyAsked) -> None:
    check_host(call, event)
    leg = call.legs.get(event.leg)
    if leg is None or not leg.live or not leg.joined:
        raise NotNow("This party is not in the conversation.", "not_a_party")
    if leg.id == call.host:
        raise NotNow("You are the host: leave the call instead.", "own_leg")
    if event.ask is PartyAsk.KICK:
        call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)
        party_left(call, leg, "kicked", event.by)
    else:
        _hold(call, leg, event.ask is PartyAsk.HOLD, event.by)


def _hold(call: Call, leg: Leg, held: bool, by: str) -> None:
    """Into the bridge with the music, or back; between the two no other party notices anything but the voice."""
    if leg.on_hold is held:
        return
    if not leg.joined:  # it is lost, and comes back like this
        leg.on_hold = held
        return
    recording.tell_apart(call)
    heard_music, leg.on_hold = leg.hears_music, held
    if leg.hears_music is not heard_music:
        music.place(call, leg)
    call.note("leg.held" if held else "leg.unheld", leg=leg.id, by=by or "host")
    if leg.role is Role.CUSTOMER:
        recording.private(call, held)


# -- leaving, and the end (C8 to C10) --------------------------------------------------------------


def leave(call: Call, event: Asked) -> None:
    """Out of the call; the others talk on where somebody is left to be host, or may go on without one."""
    leg = call.place_of(event.by)
    if leg is None:
        raise NotNow("You are not in this call.", "not_a_party")
    if leg.id == call.host and call.present > 2 and _successor(call, leg) is None and not call.unattended:
        raise NotNow(
            "You are the last user in this call. End it for all, or let a colleague join first.", "nobody_to_take_over"
        )
    call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)
    not_awaited(call, leg)
    party_left(call, leg, "left", event.by)


def not_awaited(call: Call, leg: Leg) -> None:
    """Who had lost the page is expected no more; nothing rings for it."""
    if call.away.pop(leg.id, None) is None:
        return
    for name in (AWAY, OTHERS):
        call.stop_timer(f"{name} {leg.id}")
    for rung in call.live_legs():
        if rung.instead_of == leg.id:
            unheard = Result.NOT_ACCEPTED if rung.answered else Result.NO_ANSWER
            call.end_leg(rung, unheard, Cause.NO_ANSWER)


def party_left(call: Call, leg: Leg, how: str, by: str = "") -> None:
    """A party has gone, by its own wish, the host's or the network's."""
    leg.joined = False
    recording.party_gone(call, leg)
    call.keys.pop(leg.id, None)
    call.note("party.left", leg=leg.id, user_id=leg.user_id, how=how, by=by)
    guest_gone(call, leg)
    if call.transfer == leg.id and call.invite is not None and call.parties():
        _wait_for_the_other(call)
    elif not call.parties() or call.present < 2:
        reason = call.closing.reason if call.closing else ""
        call.finish(Disposition.ANSWERED, reason=reason, ended_by=by or leg.role.value)
    elif call.host == leg.id:
        hand_over(call, leg)


def guest_gone(call: Call, leg: Leg) -> None:
    """Another one can be invited."""
    if call.guest != leg.id:
        return
    call.guest = None
    if leg.trunk_id:
        call.do(GiveBackRoute("invite"))


def _wait_for_the_other(call: Call) -> None:
    """Who hands the call on has hung up while the other one is rung: who stays hears ringing."""
    call.host = None
    call.note("transfer.waiting")
    hold_nobody(call)
    music.settle(call)  # a phone that hands its call on holds it first
    for leg in call.parties():
        call.do(Ring(leg.id))


def _successor(call: Call, leaving: Leg) -> Leg | None:
    """The guest, if that is a user; else whichever other user takes part, those who have lost the page last."""
    places = [*call.parties(), *(call.legs[name] for name in call.away)]
    others = [leg for leg in places if leg is not leaving and leg.user_id]
    return next((leg for leg in others if leg.id == call.guest and leg.joined), others[0] if others else None)


def hand_over(call: Call, leaving: Leg) -> None:
    """Who is host now that this one has gone; where nobody is, the call goes on for as long as the setting says."""
    successor = _successor(call, leaving)
    if successor is not None:
        _make_host(call, successor)
        _hold(call, successor, False, "")  # who was held by a host that has left would never be taken back
        return
    stop_inviting(call)
    if not call.unattended:
        call.finish(Disposition.ANSWERED, reason="host_left", ended_by=leaving.role.value)
        return
    call.host = None
    hold_nobody(call)
    call.start_timer("unattended", call.unattended)
    call.note("call.unattended", limit_ms=int(call.unattended / timedelta(milliseconds=1)))


def hold_nobody(call: Call) -> None:
    for leg in call.parties():
        _hold(call, leg, False, "")


def _make_host(call: Call, leg: Leg) -> None:
    before, call.host = call.host, leg.id
    if call.guest == leg.id:
        call.guest = None  # another can be invited
    call.note("host.changed", leg=leg.id, user_id=leg.user_id, before=before or "")
