"""The conference by the keys of a desk phone: a feature code for each thing that the console has a button for.

    **1<number>#  invite            **4  drop the guest, or stop inviting      **7   leave
    **2  hold the customer, or back  **5  drop the customer                     **99  end for all
    **3  hold the guest, or back

Each key is heard by the others too, as keys are. A tone says that it was done, another that it was not (C1 to C11).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pbx.core.call import conference, transfer
from pbx.core.call.model import Call, Disposition, Leg, Role
from pbx.core.commands import FindGuest
from pbx.core.events import Ask, Asked, DigitPressed, GuestFound, InviteAsked, NotNow, PartyAsk, PartyAsked
from pbx.core.ids import LegId

PREFIX = "**"
WITHIN = timedelta(seconds=6)  # to the next key
LONGEST = 40
KEY_PASSES = timedelta(milliseconds=100)
"""What is played to a phone while the end of its key is still on its way through the bridge loses that end: the others'
phones were sent that key for ever, and no voice (measured: three times in eight)."""
DONE, REFUSED = "keys-done", conference.REFUSED_TONE


def pressed(call: Call, event: DigitPressed) -> None:
    """Collects; a code that is whole is carried out. Who is no user of ours has no keys here."""
    leg = call.legs[event.leg]
    if not leg.joined or not leg.user_id:
        return
    code = call.keys.get(leg.id, "") + event.digit
    if not _may_become_a_code(code):
        code = PREFIX[: len(event.digit)] if event.digit == PREFIX[0] else ""
    call.keys.pop(leg.id, None)
    action = _ACTIONS.get(code.removeprefix(PREFIX)) if code.startswith(PREFIX) else None
    if action is not None:
        _tried(call, leg, lambda: action(call, leg))
    elif code.startswith(f"{PREFIX}1") and code.endswith("#"):
        _find(call, leg, code[len(PREFIX) + 1 : -1])
    elif code:
        call.keys[leg.id] = code
        call.start_timer("keys", WITHIN)


def _may_become_a_code(code: str) -> bool:
    if len(code) <= len(PREFIX):
        return PREFIX.startswith(code)
    rest = code.removeprefix(PREFIX)
    return (
        code.startswith(PREFIX)
        and len(code) <= LONGEST
        and (rest[0] == "1" or any(c.startswith(rest) for c in _ACTIONS))
    )


def forgotten(call: Call) -> None:
    """The next key did not come: who had begun a code hears that it was not taken."""
    for name in list(call.keys):
        if len(call.keys.pop(name)) > len(PREFIX):
            _say(call, call.legs[name], REFUSED)


def _find(call: Call, leg: Leg, digits: str) -> None:
    call.inviting = leg.id
    call.do(FindGuest(digits, leg.user_id))


def guest_found(call: Call, event: GuestFound) -> None:
    """Who was meant by the number that was keyed in."""
    if call.transfer_asked is not None:
        transfer.found(call, event)
        return
    name, call.inviting = call.inviting, None
    leg = call.legs.get(name) if name is not None else None
    guest = event.guest
    if leg is None or not leg.joined:
        return
    if guest is None:
        _say(call, leg, REFUSED)
        return
    asked = InviteAsked(guest, leg.user_id, unattended=event.unattended)
    _tried(call, leg, lambda: conference.invite(call, asked, keyed=leg.id))


def _tried(call: Call, leg: Leg, action: Callable[[], None]) -> None:
    """A refusal is heard; nothing has been decided then."""
    decided = len(call.out)
    try:
        action()
    except NotNow as refused:
        del call.out[decided:]
        call.note("keys.refused", leg=leg.id, reason=refused.code)
        _say(call, leg, REFUSED)
        return
    _say(call, leg, DONE)


def _say(call: Call, leg: Leg, tone: str) -> None:
    if leg.live and leg.joined:
        call.play(leg.id, tone, after=KEY_PASSES)


def _toggle(find: Callable[[Call], LegId | None]) -> Callable[[Call, Leg], None]:
    def act(call: Call, leg: Leg) -> None:
        target = _wanted(call, find)
        ask = PartyAsk.UNHOLD if target.on_hold else PartyAsk.HOLD
        conference.party_asked(call, PartyAsked(ask, target.id, leg.user_id))

    return act


def _drop_guest(call: Call, leg: Leg) -> None:
    if call.invite is not None:
        conference.cancel_invite(call, Asked(Ask.CANCEL_INVITE, leg.user_id))
    else:
        _drop(_guest)(call, leg)


def _drop(find: Callable[[Call], LegId | None]) -> Callable[[Call, Leg], None]:
    def act(call: Call, leg: Leg) -> None:
        conference.party_asked(call, PartyAsked(PartyAsk.KICK, _wanted(call, find).id, leg.user_id))

    return act


def _wanted(call: Call, find: Callable[[Call], LegId | None]) -> Leg:
    name = find(call)
    if name is None:
        raise NotNow("There is no such party in this call.", "not_a_party")
    return call.legs[name]


def _guest(call: Call) -> LegId | None:
    return call.guest


def _customer(call: Call) -> LegId | None:
    return next((leg.id for leg in call.parties() if leg.role is Role.CUSTOMER), None)


def _leave(call: Call, leg: Leg) -> None:
    conference.leave(call, Asked(Ask.LEAVE, leg.user_id))


def _end(call: Call, leg: Leg) -> None:
    conference.check_may_end(call, Asked(Ask.HANG_UP, leg.user_id))
    call.finish(Disposition.ANSWERED, ended_by=leg.user_id)


_ACTIONS: dict[str, Callable[[Call, Leg], None]] = {
    "2": _toggle(_customer),
    "3": _toggle(_guest),
    "4": _drop_guest,
    "5": _drop(_customer),
    "7": _leave,
    "99": _end,
}
