"""Dialling through a trunk: one that says nothing at all is left for the next, and nobody is rung twice (TRUST 8).

A trunk that has sent as much as 100 Trying has the call, however long it takes from there: another one would ring the
called person a second time. What is silent cannot have rung anybody; should it answer after all, the switch cancels
or ends it. Where there is no other way, nothing is won by giving up: the switch's own timer ends the leg later.
"""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call.model import Call, Leg
from pbx.core.call.states import State
from pbx.core.commands import CheckSilence, DialOut
from pbx.core.events import Route
from pbx.core.ids import BridgeId, LegId

SIGN = "sign"  # the timer that looks for one of life


def dial(
    call: Call, leg: Leg, route: Route, rings: timedelta, bridge: BridgeId | None = None, for_leg: LegId | None = None
) -> None:
    leg.trunk_id, leg.dialled = route.trunk_id, True
    call.do(DialOut(leg.id, route.dial, call.caller_id, rings, bridge, for_leg))
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


def other_ways(call: Call) -> bool:
    return bool(call.own_routes if call.state is State.PREPARING else call.routes)
