"""A phone hands its call on: blind, after a word with the other one, and when it may not (C5, C9, C11)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.core.call import State
from pbx.core.commands import (
    DialOut,
    FindGuest,
    HangUp,
    JoinBridge,
    Ring,
    RingPhone,
    StopRinging,
    TakeLeg,
    TransferState,
)
from pbx.core.events import GuestFound, HandedOver, LegAnswered, LegEnded, LegTaken, TransferAsked
from pbx.core.ids import LegId
from tests.unit.core.story import SAM, Story, comes_in, leg, mio
from tests.unit.core.test_conference import (
    ALONE,
    BRIDGE,
    CUSTOMER,
    EXPERT,
    FIRST,
    HOST,
    SAM_INVITED,
    SECOND,
    talks,
    three,
)

ELSEWHERE = LegId("leg_01HZ0000000000000000000009_2")


def transfers(guest: Any = SAM_INVITED, **more: Any) -> Story:
    story = talks().then(TransferAsked(HOST, "102"))
    assert story.did(FindGuest) == [FindGuest("102", "u_1")]
    return story.then(GuestFound(guest, **more))


def states(story: Story) -> list[str]:
    return [told.state for told in story.did(TransferState)]


@pytest.mark.covers("C9")
def test_the_one_who_is_called_takes_the_call_over_and_the_phone_is_told_each_step() -> None:
    story = transfers()
    assert states(story) == ["channel_progress"] and len(story.did(RingPhone)) == 2
    story.then(LegAnswered(FIRST))
    assert states(story) == ["channel_answered"] and HOST in {gone.leg for gone in story.did(HangUp)}
    assert story.call.host == FIRST and [each.id for each in story.call.parties()] == [CUSTOMER, FIRST]
    assert story.record().call["user_id"] == "u_1" and story.record().participants[FIRST]["role"] == "host"


@pytest.mark.covers("C9")
def test_a_phone_that_hangs_up_at_once_leaves_the_customer_with_ringing() -> None:
    story = transfers().then(LegEnded(HOST, 16))
    assert story.state is State.TALKING and [ring.leg for ring in story.did(Ring)] == [CUSTOMER]
    story.then(LegAnswered(SECOND))
    assert [stop.leg for stop in story.did(StopRinging)] == [CUSTOMER] and story.call.host == SECOND
    assert story.did(JoinBridge) == [JoinBridge(BRIDGE, (SECOND,))]


def test_what_comes_to_nothing_falls_back_to_the_phone_that_waits() -> None:
    story = transfers().then(LegEnded(FIRST, 17, 486)).then(LegEnded(SECOND, 17, 486))
    assert states(story) == ["channel_unavailable"] and story.call.host == HOST
    assert len(story.call.parties()) == 2 and story.call.transfer is None


def test_or_rings_the_phones_of_who_has_hung_up_and_only_then_ends() -> None:
    story = transfers().then(LegEnded(HOST, 16)).then(LegEnded(FIRST, 21, 603))
    recalled = {ring.leg for ring in story.did(RingPhone)}
    assert len(recalled) == 2 and story.fact("transfer.recalled") == {"user_id": "u_1"}
    back = Story.then(story, LegAnswered(min(recalled)))
    assert back.call.host == min(recalled) and back.state is State.TALKING
    story = transfers().then(LegEnded(HOST, 16)).then(LegEnded(FIRST, 21, 603))
    for name in sorted({ring.leg for ring in story.did(RingPhone)}):
        story.then(LegEnded(name, 19, 480))
    assert story.ended["reason"] == "transfer_failed"


def test_the_customer_who_gives_up_meanwhile_ends_it() -> None:
    story = transfers().then(LegEnded(HOST, 16)).then(LegEnded(CUSTOMER, 16))
    assert story.state is State.ENDED and not list(story.call.live_legs())


@pytest.mark.covers("C5", "C11")
@pytest.mark.parametrize("who", [FIRST, HOST, CUSTOMER])
def test_nobody_hands_a_conference_on_and_a_guest_nothing_at_all(who: LegId) -> None:
    story = three().then(TransferAsked(who, "102"))
    assert states(story) == ["channel_declined"] and not story.did(FindGuest)
    assert len(story.call.parties()) == 3


@pytest.mark.covers("C11")
def test_before_the_answer_a_phone_is_told_that_it_may_not() -> None:
    story = comes_in().then(TransferAsked(CUSTOMER, "102"))
    assert states(story) == ["channel_declined"] and story.state is State.RINGING


def test_no_number_and_nobody_there_are_refused() -> None:
    assert states(talks().then(TransferAsked(HOST, ""))) == ["channel_declined"]
    assert states(transfers(None)) == ["channel_declined"]


@pytest.mark.covers("C9", "P5")
def test_outside_only_where_a_call_may_go_on_without_a_user_and_through_the_gate() -> None:
    assert states(transfers(EXPERT)) == ["channel_declined"]
    story = transfers(EXPERT, unattended=ALONE)
    assert story.asked[-1].purpose == "invite" and len(story.did(DialOut)) == 1
    story.then(LegAnswered(FIRST))
    assert story.record().now.unattended and "unattended" in story.call.timers


@pytest.mark.covers("C9", "C13")
def test_whom_the_host_has_spoken_to_comes_over_from_the_second_call() -> None:
    first = talks().then(LegTaken(ELSEWHERE, HOST, SAM.did, "Sam", "u_2"))
    assert first.did(TakeLeg) == [TakeLeg(FIRST, ELSEWHERE)] and first.did(JoinBridge) == [JoinBridge(BRIDGE, (FIRST,))]
    assert first.call.host == FIRST and states(first) == ["channel_answered"]
    second = comes_in(mio()).then(LegAnswered(leg(2))).then(HandedOver(leg(2), "c_first", "u_1"))
    assert second.ended["reason"] == "transferred" and leg(2) not in {gone.leg for gone in second.did(HangUp)}
