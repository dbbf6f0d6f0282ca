"""Phones that hold by themselves (re-INVITE) in a conference: who is left with them hears music, not silence (C6)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.core.call import State
from pbx.core.commands import JoinBridge, StartTrack
from pbx.core.events import Ask, Asked, LegAnswered, LegEnded, LegHeld, PartyAsk, PartyAsked
from tests.unit.core.story import Story
from tests.unit.core.test_conference import (
    BRIDGE,
    CUSTOMER,
    FIRST,
    HOLDING,
    HOST,
    hold,
    invites,
    live,
    talks,
    three,
    unhold,
)


def music(story: Story) -> set[str]:
    """Who is in the bridge with the music."""
    return {each.id for each in story.call.parties() if each.hears_music}


@pytest.mark.covers("C6", "C8")
@pytest.mark.parametrize("holds", [CUSTOMER, HOST, FIRST])
@pytest.mark.parametrize("gone", [CUSTOMER, HOST, FIRST])
@pytest.mark.parametrize("how", ["hangs up", "is dropped or leaves"])
def test_who_is_left_with_a_phone_that_holds_hears_music(holds: Any, gone: Any, how: str) -> None:
    """Whichever of the three goes, and where only one is left the call is over."""
    if gone == holds:
        return
    story = three().then(LegHeld(holds, True))
    assert music(story) == set(), "the two others talk on"
    leaves = Asked(Ask.LEAVE, "u_1") if gone == HOST else PartyAsked(PartyAsk.KICK, gone, "u_1")
    story.then(LegEnded(gone, 16) if how == "hangs up" else leaves)
    [left] = {CUSTOMER, HOST, FIRST} - {holds, gone}
    assert story.state is State.TALKING and music(story) == {left}
    assert story.did(JoinBridge) == [JoinBridge(HOLDING, (left,), alone=True)]
    story.then(LegHeld(holds, False))
    assert music(story) == set() and story.did(JoinBridge) == [JoinBridge(BRIDGE, (left,))]
    story.then(LegEnded(holds, 16))
    assert story.state is State.ENDED and live(story) == set()


@pytest.mark.covers("C6", "C8")
def test_the_one_whose_phone_holds_goes_and_the_others_talk_on() -> None:
    for gone in (CUSTOMER, HOST, FIRST):
        story = three().then(LegHeld(gone, True)).then(LegEnded(gone, 16))
        assert story.state is State.TALKING and music(story) == set() and not story.did(JoinBridge)


@pytest.mark.covers("C6")
def test_two_of_three_phones_hold_and_the_third_hears_music_until_one_is_back() -> None:
    story = three().then(LegHeld(HOST, True)).then(LegHeld(FIRST, True))
    assert music(story) == {CUSTOMER}
    story.then(LegHeld(CUSTOMER, True))
    assert music(story) == set(), "who holds listens to nobody"
    story.then(LegHeld(HOST, False))
    assert music(story) == {HOST}
    assert music(story.then(LegHeld(CUSTOMER, False))) == set()


@pytest.mark.covers("C2", "C6")
def test_the_hosts_phone_holds_while_the_guest_rings_and_guest_and_customer_hear_each_other() -> None:
    story = invites().then(LegHeld(HOST, True))
    assert music(story) == {CUSTOMER}
    story.then(LegAnswered(FIRST))
    assert music(story) == set() and JoinBridge(BRIDGE, (CUSTOMER,)) in story.did(JoinBridge)
    story.then(PartyAsked(PartyAsk.KICK, FIRST, "u_1"))
    assert music(story) == {CUSTOMER}


@pytest.mark.covers("C6", "C9")
def test_a_host_whose_phone_holds_leaves_and_the_guest_has_the_customer() -> None:
    story = three().then(LegHeld(HOST, True)).then(hold(CUSTOMER))
    assert music(story) == {CUSTOMER, FIRST}, "the guest has only a phone that holds to listen to"
    story.then(LegEnded(HOST, 16))
    assert story.call.host == FIRST and music(story) == {CUSTOMER}, "held until the new host takes it back"
    assert music(story.then(unhold(CUSTOMER, "u_2"))) == set()


@pytest.mark.covers("C6")
def test_held_by_the_host_and_by_the_other_ones_phone_it_is_the_same_music() -> None:
    story = talks().then(LegHeld(HOST, True)).then(hold(CUSTOMER))
    assert not story.did(JoinBridge), "it goes on"
    assert music(story.then(LegHeld(HOST, False))) == {CUSTOMER}
    story.then(LegHeld(HOST, True)).then(unhold(CUSTOMER))
    assert music(story) == {CUSTOMER}


@pytest.mark.covers("C12")
def test_what_is_said_to_a_phone_that_holds_is_recorded() -> None:
    story = talks().then(LegHeld(CUSTOMER, True))
    assert music(story) == {HOST} and [track.leg for track in story.did(StartTrack)] == [HOST]
