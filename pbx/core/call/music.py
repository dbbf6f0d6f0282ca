"""Who hears music, and who the others: looked at after each step, so that nobody is left in silence.

The host holds a party (:mod:`pbx.core.call.conference`). Besides, music is heard by who has nobody of ours to talk to
as a page was lost (:mod:`pbx.core.call.away`), and by who has nobody to listen to as everybody else there has put the
own phone on hold. Asterisk by itself would play to the other one of two only, and to nobody once there have been three.
"""

from __future__ import annotations

from pbx.core.call import recording
from pbx.core.call.model import Call, Leg
from pbx.core.call.states import State
from pbx.core.commands import JoinBridge
from pbx.core.events import LegHeld

RECONNECTING = "reconnecting"  # by what a party is held that waits for a page


def place(call: Call, leg: Leg) -> None:
    """Where the leg hears what it should: the others, or music."""
    call.do(JoinBridge(call.open_holding() if leg.hears_music else call.open_bridge(), (leg.id,), leg.unaccompanied))


def phone_holds(call: Call, event: LegHeld) -> None:
    settle(call)


def settle(call: Call) -> None:
    """Between the two bridges no other party notices anything but the voice."""
    if call.state is not State.TALKING:
        return
    talking = [leg for leg in call.parties() if not leg.on_hold]
    missed = bool(call.away) and (len(talking) < 2 or not any(leg.user_id for leg in talking))
    for leg in call.parties():
        heard_music = leg.hears_music
        _let_wait(call, leg, missed and not leg.on_hold)
        _leave_alone(call, leg, call.closing is None and leg in talking and _all_others_hold(leg, talking))
        if leg.hears_music is not heard_music:
            place(call, leg)


def _let_wait(call: Call, leg: Leg, waits: bool) -> None:
    if leg.waits is not waits:
        leg.waits = waits
        call.note("leg.held" if waits else "leg.unheld", leg=leg.id, by=RECONNECTING)


def _leave_alone(call: Call, leg: Leg, alone: bool) -> None:
    """What is said there is heard by nobody, and yet recorded."""
    if alone and not leg.unaccompanied:
        recording.tell_apart(call)
    leg.unaccompanied = alone


def _all_others_hold(leg: Leg, talking: list[Leg]) -> bool:
    """By their own phones; who holds as well listens to nobody anyway."""
    others = [each for each in talking if each is not leg]
    return not leg.held and bool(others) and all(each.held for each in others)
