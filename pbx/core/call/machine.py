"""The way in: a beginning makes a call, an event moves it on; what was decided comes back as a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pbx.core.call import (
    away,
    conference,
    drop,
    inbound,
    keys,
    music,
    outbound,
    pages,
    talking,
    transfer,
    trunks,
    words,
)
from pbx.core.call.model import Call, Disposition, Leg
from pbx.core.call.states import State
from pbx.core.causes import Cause, Result, result_of
from pbx.core.commands import Command, Fact
from pbx.core.events import (
    AnswerAsked,
    Arrived,
    Asked,
    Asking,
    Beginning,
    ColleagueFound,
    CommandFailed,
    Dialled,
    DialRequested,
    DigitPressed,
    DigitsAsked,
    DropAsked,
    Event,
    GuestFound,
    HandedOver,
    InviteAsked,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    LegSilent,
    LegTaken,
    MessageRecorded,
    NotNow,
    PartyAsked,
    PhoneBack,
    PhoneLost,
    PickedUpInVain,
    PlaybackDone,
    RouteDecided,
    SwitchLost,
    TimerFired,
    TransferAsked,
)
from pbx.core.ids import CallId, Instant

Decided = list[Command | Fact]
Handler = Callable[[Call, Any], None]


def begin(call_id: CallId, event: Beginning, now: Instant) -> tuple[Call, Decided]:
    """Make a call of what began it."""
    call = Call(call_id, now)
    match event:
        case Arrived():
            inbound.arrive(call, event)
        case Dialled():
            outbound.dialled(call, event)
        case DialRequested():
            outbound.requested(call, event)
    return call, _taken(call)


def handle(call: Call, event: Event, now: Instant) -> Decided:
    """Move the call on. Raises NotNow where a person asked for something impossible, changing nothing.

    Events may come late, twice or for legs that are gone already: they change nothing then.
    """
    if isinstance(event, SwitchLost) and event.at is not None:
        now = min(now, event.at)
    call.now = max(call.now, now)  # a clock that is set back must not turn the log round
    in_any_state = _IN_ANY_STATE.get(type(event))
    if in_any_state is not None:
        in_any_state(call, event)
    elif _concerns_the_call(call, event):
        _by_state(call, event)
    return _taken(call)


def _concerns_the_call(call: Call, event: Event) -> bool:
    """Keep what stands beside the state: legs, timers, what the gate was asked. Tells whether there is more to do."""
    match event:
        case LegRinging() | LegAnswered() | LegEnded() | LegHeld() | DigitPressed():
            if not _leg_event(call, event):
                inbound.stopped_phone(call, event)
                return False
        case TimerFired():
            due = call.timers.pop(event.name, None) is not None
            if due and event.name == trunks.SIGN:
                trunks.look_for_sign(call)
            return due and event.name != trunks.SIGN
        case RouteDecided():
            if event.purpose != call.asked_route:
                return False
            call.asked_route = ""
    return True


def _by_state(call: Call, event: Event) -> None:
    handler = _HANDLERS.get((call.state, type(event)))
    if handler is not None:
        handler(call, event)
        _settle(call)
    elif isinstance(event, PhoneLost):
        _caller_lost(call, event)
    elif isinstance(event, TransferAsked) and call.state is not State.ENDED:
        transfer.refuse(call, event)
    elif isinstance(event, Asking):
        raise NotNow("That is not possible at this moment of the call.")


def _settle(call: Call) -> None:
    transfer.settle(call)
    music.settle(call)


def _taken(call: Call) -> Decided:
    decided, call.out = call.out, []
    return decided


def _leg_event(call: Call, event: LegRinging | LegAnswered | LegEnded | LegHeld | DigitPressed) -> bool:
    """Keep the leg's own state; tell whether the call as a whole needs to hear of it."""
    leg = call.legs.get(event.leg)
    if leg is None or leg.ended:
        return False
    if isinstance(event, LegEnded):
        leg.ended = True
        if leg.ending:
            return False
        result = _result(call, leg, event)
        call.note("leg.ended", leg=leg.id, result=result.value, cause=event.cause, sip_status=event.sip_status)
        return True
    if leg.ending:
        return False
    if isinstance(event, LegRinging):
        if leg.ringing or leg.answered:
            return False
        leg.ringing = True
        trunks.heard(call, leg)
        call.note("leg.ringing", leg=leg.id)
    elif isinstance(event, LegAnswered):
        if leg.answered:
            return False
        leg.answered = True
        trunks.heard(call, leg)
        call.note("leg.answered", leg=leg.id)
    elif isinstance(event, LegHeld):
        if leg.held is event.held:
            return False
        leg.held = event.held
        call.note("leg.held" if event.held else "leg.unheld", leg=leg.id, by="phone")
    return True


def _picked_up_in_vain(call: Call, event: PickedUpInVain) -> None:
    ended = LegEnded(event.leg, int(Cause.TEMPORARY_FAILURE))
    if not _leg_event(call, ended):
        return
    handler = _HANDLERS.get((call.state, PickedUpInVain)) or _HANDLERS.get((call.state, LegEnded))
    if handler is not None:
        handler(call, ended)
        _settle(call)


def _result(call: Call, leg: Leg, event: LegEnded) -> Result:
    """Who came to us and left before an answer has given up, whatever cause the switch names."""
    if leg.answered:
        return Result.ANSWERED
    if leg.id == call.first_leg and call.caller_waits:
        return Result.CANCELLED
    return result_of(event.cause, event.sip_status)


def _command_failed(call: Call, event: CommandFailed) -> None:
    """A leg that could not be made or joined has failed; it is hung up, in case it is there after all."""
    if call.state is State.ENDED:
        return
    call.note("command.failed", command=event.command, leg=event.leg or "", why=event.why)
    leg = call.legs.get(event.leg) if event.leg is not None else None
    if leg is not None and leg.live:
        _give_up(call, leg, Cause.NETWORK_OUT_OF_ORDER)


def _leg_silent(call: Call, event: LegSilent) -> None:
    """It may have said something since it was looked at: then it has the call."""
    leg = call.legs.get(event.leg)
    if leg is None or not trunks.unheard(leg):
        return
    call.note("trunk.silent", leg=leg.id, trunk_id=leg.trunk_id)
    if trunks.other_ways(call, leg):
        _give_up(call, leg, Cause.NO_RESPONSE)


def _give_up(call: Call, leg: Leg, cause: Cause) -> None:
    """We end it, and the call goes on as if it had ended by itself."""
    call.end_leg(leg, Result.ANSWERED if leg.answered else Result.UNREACHABLE, cause)
    handler = _HANDLERS.get((call.state, LegEnded))
    if handler is not None:
        handler(call, LegEnded(leg.id, int(cause)))
        _settle(call)


def _caller_lost(call: Call, event: PhoneLost) -> None:
    """A colleague calls from a page that is gone, and nobody talks yet: as if the phone had hung up."""
    leg = call.legs.get(event.leg)
    if leg is not None and leg.live and call.state is not State.ENDED:
        _give_up(call, leg, Cause.NORMAL)


def _switch_lost(call: Call, event: SwitchLost) -> None:
    """Every leg is gone without a word: the call is closed as interrupted, rather than hang for hours (TRUST 3)."""
    cause = Cause.TEMPORARY_FAILURE
    call.interrupted = True
    for leg in call.legs.values():
        if leg.live:
            result = Result.ANSWERED if leg.answered else Result.FAILED
            call.note("leg.ended", leg=leg.id, result=result.value, cause=int(cause), sip_status=None)
        leg.ended = True
    call.finish(Disposition.INTERRUPTED, cause, reason="switch_restarted", ended_by="system")


def break_off(call: Call, now: Instant) -> Decided:
    """Our own fault: what was decided stands, and a call in which nobody talks yet ends rather than hangs."""
    call.now = max(call.now, now)
    if call.state is not State.TALKING:
        call.finish(Disposition.FAILED, Cause.TEMPORARY_FAILURE, reason="internal_error", ended_by="system")
    return _taken(call)


_IN_ANY_STATE: dict[type, Handler] = {
    PickedUpInVain: _picked_up_in_vain,
    CommandFailed: _command_failed,
    LegSilent: _leg_silent,
    SwitchLost: _switch_lost,
}
_S = State
_HANDLERS: dict[tuple[State, type], Handler] = {
    (_S.NEW, RouteDecided): outbound.route_decided,
    (_S.NEW, LegEnded): outbound.gone_before_dialling,
    (_S.RINGING, LegAnswered): inbound.phone_answered,
    (_S.RINGING, LegEnded): inbound.leg_ended_while_ringing,
    (_S.RINGING, PickedUpInVain): inbound.ring_again_where_picked_up,
    (_S.RINGING, TimerFired): inbound.rang_long_enough,
    (_S.RINGING, PhoneLost): pages.page_lost,
    (_S.RINGING, PhoneBack): pages.page_back,
    (_S.RINGING, Asked): inbound.asked_while_ringing,
    (_S.RINGING, AnswerAsked): inbound.asked_to_answer,
    (_S.FORWARDING, LegAnswered): inbound.forward_answered,
    (_S.FORWARDING, LegEnded): inbound.leg_ended_while_forwarding,
    (_S.FORWARDING, PickedUpInVain): inbound.dial_again_where_picked_up,
    (_S.FORWARDING, TimerFired): inbound.forward_took_too_long,
    (_S.FORWARDING, RouteDecided): inbound.forward_route,
    (_S.FORWARDING, Asked): inbound.asked_while_ringing,
    (_S.ASKING, DigitPressed): inbound.forward_accepted,
    (_S.ASKING, LegEnded): inbound.leg_ended_while_forwarding,
    (_S.ASKING, TimerFired): inbound.forward_took_too_long,
    (_S.ASKING, PlaybackDone): inbound.ask_again,
    (_S.ASKING, Asked): inbound.asked_while_ringing,
    (_S.ANNOUNCING, PlaybackDone): words.announced,
    (_S.ANNOUNCING, LegEnded): words.caller_left_announcement,
    (_S.ANNOUNCING, TimerFired): words.announcement_overdue,
    (_S.ANNOUNCING, Asked): words.asked_while_announcing,
    (_S.MESSAGE, MessageRecorded): words.message_recorded,
    (_S.MESSAGE, LegEnded): words.caller_left_message,
    (_S.MESSAGE, TimerFired): words.message_overdue,
    (_S.MESSAGE, Asked): words.asked_while_announcing,
    (_S.PREPARING, LegAnswered): outbound.user_answered,
    (_S.PREPARING, LegEnded): outbound.leg_ended_while_preparing,
    (_S.PREPARING, PickedUpInVain): outbound.ring_again_where_picked_up,
    (_S.PREPARING, TimerFired): outbound.user_did_not_answer,
    (_S.PREPARING, RouteDecided): outbound.route_decided,
    (_S.PREPARING, PhoneLost): outbound.page_lost,
    (_S.PREPARING, ColleagueFound): inbound.colleague_found,
    (_S.PREPARING, Asked): talking.asked_to_end,
    (_S.DIALLING, LegRinging): outbound.customer_rings,
    (_S.DIALLING, LegAnswered): outbound.customer_answered,
    (_S.DIALLING, LegEnded): outbound.leg_ended_while_dialling,
    (_S.DIALLING, TimerFired): outbound.customer_did_not_answer,
    (_S.DIALLING, PhoneLost): outbound.page_lost,
    (_S.DIALLING, Asked): talking.asked_to_end,
    (_S.DIALLING, DigitsAsked): talking.send_digits,
    (_S.TALKING, LegAnswered): talking.leg_answered,
    (_S.TALKING, LegEnded): talking.leg_ended,
    (_S.TALKING, PickedUpInVain): talking.ring_again_where_picked_up,
    (_S.TALKING, LegHeld): music.phone_holds,
    (_S.TALKING, PhoneLost): away.lost,
    (_S.TALKING, PhoneBack): away.back,
    (_S.TALKING, RouteDecided): talking.route_decided,
    (_S.TALKING, InviteAsked): conference.invite,
    (_S.TALKING, PartyAsked): conference.party_asked,
    (_S.TALKING, TransferAsked): transfer.asked,
    (_S.TALKING, HandedOver): transfer.handed_over,
    (_S.TALKING, LegTaken): transfer.taken,
    (_S.TALKING, DigitPressed): talking.pressed,
    (_S.TALKING, GuestFound): keys.guest_found,
    (_S.TALKING, PlaybackDone): talking.heard,
    (_S.TALKING, Asked): talking.asked,
    (_S.TALKING, DigitsAsked): talking.send_digits,
    (_S.TALKING, TimerFired): talking.timer_fired,
    (_S.TALKING, DropAsked): drop.asked,
    (_S.DROPPING, PlaybackDone): drop.heard,
    (_S.DROPPING, LegEnded): drop.customer_left,
    (_S.DROPPING, TimerFired): drop.overdue,
    (_S.DROPPING, Asked): drop.asked_meanwhile,
}
