"""Dialling through a trunk: one that says nothing at all is left for the next, and nobody is rung twice (TRUST 8).

A trunk that has sent as much as 100 Trying has the call, however long it takes from there: another one would ring the
called person a second time. What is silent cannot have rung anybody; should it answer after all, the switch cancels
or ends it. Where there is no other way, nothing is won by giving up: the switch's own timer ends the leg later.
"""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call.model import Call, Leg, Role
from pbx.core.call.states import State
from pbx.core.commands import CheckSilence, DialOut
from pbx.core.events import Route
from pbx.core.ids import BridgeId, LegId

SIGN = "sign"  # the timer that looks for one of life


def dial(
    call: Call,
    leg: Leg,
    route: Route,
    rings: timedelta,
    bridge: BridgeId | None = None,
    for_leg: LegId | None = None,
    caller_id: str | None = None,
) -> None:
    """``caller_id`` is the call's own, where no other is given."""
    if not leg.trunk_id:  # of a user's own phone outside it was not known by which way it would be rung
        call.note("leg.trunk", leg=leg.id, trunk_id=route.trunk_id)
    leg.trunk_id, leg.dialled = route.trunk_id, True
    shown = call.caller_id if caller_id is None else caller_id
    call.do(DialOut(leg.id, route.dial, shown, rings, bridge, for_leg))
    call.start_timer(SIGN, route.timeout)


def heard(call: Call, leg: Leg) -> None:
    """It rings or was answered: nothing more is to be looked for."""
    if leg.dialled:
        call.stop_timer(SIGN)


def look_for_sign(call: Call) -> None:
    for leg in call.live_legs():
        if unheard(leg):
            call.do(CheckSilence(leg.id))


def unheard(leg: Leg) -> bool:
    return leg.dialled and leg.live and not leg.ringing and not leg.answered


def other_ways(call: Call, leg: Leg) -> bool:
    if leg.role is Role.GUEST:
        return call.invite is not None and bool(call.invite.routes)
    return bool(call.own_routes if call.state is State.PREPARING else call.routes)
