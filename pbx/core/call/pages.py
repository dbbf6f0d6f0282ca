"""Pages with phones that go and come while a call rings at their user's (P4)."""

from __future__ import annotations

from datetime import timedelta

from pbx.core.call import inbound
from pbx.core.call.model import Call, Role
from pbx.core.causes import Cause, Result
from pbx.core.events import PhoneBack, PhoneLost

PAGE_BACK_WITHIN = timedelta(seconds=6)


def page_lost(call: Call, event: PhoneLost) -> None:
    """A page at which it rings is gone. Where nothing else rings, it may be there again in a moment (P4)."""
    leg = call.legs.get(event.leg)
    if leg is None or not leg.live:
        return
    call.note("phone.lost", leg=leg.id, user_id=leg.user_id, device_id=leg.device_id, how=event.how, wait_ms=0)
    call.end_leg(leg, Result.UNREACHABLE, Cause.NORMAL)
    if leg.id == call.first_leg:
        inbound.caller_gave_up(call)
    elif not any(call.live_legs(Role.USER)):
        call.start_timer("page", PAGE_BACK_WITHIN)


def page_back(call: Call, event: PhoneBack) -> None:
    """A page that registers while it rings is rung as well; one that shall take the call, as it was asked to."""
    phone, chosen = event.phone, call.answer_on
    if call.person is None or call.person.user_id != event.user_id:
        return
    if chosen is not None and chosen.device_id != phone.device_id:
        return
    if "silence" in call.timers:
        call.answer_on = phone
    elif all(leg.dial != phone.dial for leg in call.live_legs(Role.USER)):
        call.stop_timer("page")
        inbound.ring_phone(call, phone, auto_answer=chosen is not None)
