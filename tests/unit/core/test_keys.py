"""The conference by the keys of a desk phone, told as stories (C1 to C11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pbx.core.call import State
from pbx.core.commands import DialOut, FindGuest, HangUp, Play
from pbx.core.events import DigitPressed, GuestFound, LegAnswered, LegEnded, TimerFired
from tests.unit.core.story import Story
from tests.unit.core.test_conference import CUSTOMER, EXPERT, FIRST, HOST, live, talks, three


def press(story: Story, keys: str, on: Any = HOST) -> Story:
    for key in keys:
        story.then(DigitPressed(on, key), after_ms=200)
    return story


@pytest.mark.covers("C1", "C6", "C7", "C10")
def test_the_host_does_all_of_it_by_keys() -> None:
    story = press(talks(), "**1+12065550199#".replace("+", ""))
    assert story.did(FindGuest) == [FindGuest("12065550199", "u_1")]
    story.then(GuestFound(EXPERT))
    assert story.did(DialOut) and [play.prompts for play in story.did(Play)] == [("keys-done",)]
    story.then(LegAnswered(FIRST))
    assert press(story, "**2").record().now.held == {CUSTOMER: "u_1"}
    assert press(story, "**2").record().now.held == {}
    assert press(story, "**3").record().now.held == {FIRST: "u_1"}
    assert [gone.leg for gone in press(story, "**4").did(HangUp)] == [FIRST]
    press(story, "**9")
    assert story.state is State.TALKING, "end for all asks once"
    assert press(story, "9").state is State.ENDED


@pytest.mark.covers("C11")
def test_a_guests_keys_are_refused_with_a_tone_and_leave_works() -> None:
    story = press(three(), "**5", FIRST)
    assert [play.prompts for play in story.did(Play)] == [("keys-refused",)] and len(live(story)) == 3
    press(story, "**7", FIRST)
    assert live(story) == {CUSTOMER, HOST}


def test_the_tone_waits_until_the_key_has_gone_through_the_bridge() -> None:
    (play,) = press(three(), "**5", FIRST).did(Play)
    assert play.after == timedelta(milliseconds=100)


def test_a_customers_keys_and_other_keys_are_nobodys_business() -> None:
    story = press(press(three(), "**99", CUSTOMER), "1*2#5")
    assert len(live(story)) == 3 and not story.did(Play)
    press(story, "**8")
    assert not story.did(Play) and not story.call.keys
    press(story, "**1206").then(TimerFired("keys"))
    assert [play.prompts for play in story.did(Play)] == [("keys-refused",)]


@pytest.mark.covers("C4")
def test_an_invitation_by_keys_that_fails_is_heard() -> None:
    story = press(talks(), "**112065550199#").then(GuestFound(EXPERT)).then(LegEnded(FIRST, 17, 486))
    assert [(play.target, play.prompts) for play in story.did(Play)] == [(HOST, ("keys-refused",))]
