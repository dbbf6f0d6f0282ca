"""A phone hands its call on (REFER, RFC 3515): blind, or to somebody its user has spoken to in a second call.

Both end as what the console does by invite and leave: the other one joins as a guest, the host leaves, and who is a
user becomes host. Only a user who talks with one other may, so no guest (C5, C11). A blind transfer that comes to
nothing falls back to who made it: the phone is told, and takes the call back; one that has hung up already is rung.
"""

from __future__ import annotations

from pbx.core.call import conference
from pbx.core.call.model import Call, Disposition, Leg, Role
from pbx.core.call.states import State
from pbx.core.causes import Cause, Result
from pbx.core.commands import FindGuest, JoinBridge, StopRecording, StopRinging, TakeLeg, TransferState
from pbx.core.events import (
    Guest,
    GuestFound,
    GuestKind,
    GuestPhone,
    HandedOver,
    InviteAsked,
    LegTaken,
    NotNow,
    TransferAsked,
)

PROGRESS, ANSWERED, UNAVAILABLE, DECLINED = (
    f"channel_{word}" for word in ("progress", "answered", "unavailable", "declined")
)


def asked(call: Call, event: TransferAsked) -> None:
    """Blind, to a number. A guest's is refused whatever its phone sends."""
    leg = call.legs[event.leg]
    may = leg.joined and leg.user_id and not leg.on_hold and call.invite is None and not call.away
    may = may and len(call.parties()) == 2
    if not may or not event.number:
        refuse(call, event)
        return
    call.note("transfer.asked", leg=leg.id, number=event.number)
    call.transfer_asked = leg.id
    call.do(FindGuest(event.number, leg.user_id))


def refuse(call: Call, event: TransferAsked) -> None:
    """A phone that is told nothing waits."""
    leg = call.legs[event.leg]
    call.note("transfer.refused", leg=leg.id, user_id=leg.user_id)
    call.do(TransferState(leg.id, DECLINED))


def found(call: Call, event: GuestFound) -> None:
    """Who was meant: rung while the phone that transfers waits, or has hung up already."""
    assert call.transfer_asked is not None
    leg, call.transfer_asked = call.legs[call.transfer_asked], None
    guest = event.guest
    if not leg.joined:
        return
    try:
        if guest is None:
            raise NotNow("That is no number.", "invalid_number")
        if guest.kind is GuestKind.NUMBER and not event.unattended and not _another_user(call, leg):
            raise NotNow("A call goes on without a user of ours only where a setting allows it.", "nobody_to_take_over")
        conference.invite(call, InviteAsked(guest, leg.user_id, unattended=event.unattended))
    except NotNow as refused:
        call.note("transfer.refused", leg=leg.id, user_id=leg.user_id, reason=refused.code)
        call.do(TransferState(leg.id, DECLINED))
        return
    call.transfer = leg.id
    call.do(TransferState(leg.id, PROGRESS))


def _another_user(call: Call, but: Leg) -> bool:
    return any(leg.user_id for leg in call.parties() if leg is not but)


def settle(call: Call) -> None:
    """After each step: has the invitation that a transfer began come to its end?"""
    if call.transfer is None or call.invite is not None or call.state is not State.TALKING:
        return
    if call.guest is not None:
        _joined(call)
    else:
        _failed(call)


def _joined(call: Call) -> None:
    """The other one has answered: the phone that transferred is out of the call."""
    assert call.transfer is not None
    leg, call.transfer = call.legs[call.transfer], None
    if leg.live and leg.joined:
        call.note("transfer.done", leg=leg.id)
        call.do(TransferState(leg.id, ANSWERED))
        call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)
        conference.party_left(call, leg, "transferred")
        return
    for party in call.parties():
        if party.id != call.guest:
            call.do(StopRinging(party.id))
    conference.hand_over(call, leg)


def _failed(call: Call) -> None:
    """Back to who transferred: by word to the phone that waits, by ringing where it has hung up, once."""
    assert call.transfer is not None
    leg = call.legs[call.transfer]
    if leg.live and leg.joined:
        call.transfer = None
        call.do(TransferState(leg.id, UNAVAILABLE))
    elif call.recalled or not _recall(call, leg):
        call.finish(Disposition.ANSWERED, reason="transfer_failed", ended_by="system")


def _recall(call: Call, leg: Leg) -> bool:
    person = call.person
    if person is None or person.user_id != leg.user_id or not person.phones:
        return False
    call.recalled = True
    phones = tuple(GuestPhone(person.user_id, phone) for phone in person.phones)
    guest = Guest(GuestKind.USER, person.user_id, person.name, person.did, phones, ring_time=person.ring_time)
    call.note("transfer.recalled", user_id=person.user_id)
    conference.ring_guest(call, guest, person.user_id)
    return True


# -- attended --------------------------------------------------------------------------------------


def handed_over(call: Call, event: HandedOver) -> None:
    """The second call: who was consulted goes over into the first, and this one is over."""
    leg = call.legs[event.leg]
    if call.recording is not None and call.recording_leg == leg.id:
        call.do(StopRecording(call.recording, leg.id))  # the channel goes on, and would be recorded here on and on
    if leg.id in call.tracks:
        call.do(StopRecording(call.tracks.pop(leg.id), leg.id))
    leg.joined, leg.ended = False, True
    call.note("leg.ended", leg=leg.id, result=Result.ANSWERED.value, cause=int(Cause.NORMAL), sip_status=None)
    call.note("transfer.handed_over", leg=leg.id, to=event.to)
    call.finish(Disposition.ANSWERED, reason="transferred", ended_by=event.by)


def taken(call: Call, event: LegTaken) -> None:
    """The first call: who was consulted joins, and the host, whose phone asked for it, leaves."""
    leg = call.new_leg(
        Role.GUEST, number=event.number, device_id=event.device_id, trunk_id=event.trunk_id, user_id=event.user_id
    )
    leg.answered = True
    call.note("leg.answered", leg=leg.id)
    call.do(TakeLeg(leg.id, event.leg))
    if not call.legs[event.by_leg].joined or len(call.parties()) != 2 or call.away:
        call.end_leg(leg, Result.ANSWERED, Cause.NORMAL)  # its own call is over: it must not wait in silence
        return
    leg.joined = True
    call.do(JoinBridge(call.open_bridge(), (leg.id,)))
    conference.guest_joined(call, leg, event.name)
    call.unattended = event.unattended
    transferring = call.legs[event.by_leg]
    call.note("transfer.done", leg=transferring.id)
    call.do(TransferState(transferring.id, ANSWERED))
    call.end_leg(transferring, Result.ANSWERED, Cause.NORMAL)
    conference.party_left(call, transferring, "transferred")
