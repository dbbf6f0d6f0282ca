"""Who is told of a recording: by the organisation's word, or by the law of either party's place, the stricter one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm.law import STATUTE, Rule
from crm.records import User
from pbx.core.events import Direction
from pbx.services.persons import recording_plan
from tests.unit.services.test_gatekeeper import Organisation, user

NEW_YORK, MIAMI, TOKYO, BERLIN = "+12125550101", "+13055550102", "+81312345678", "+4930123456"


def plan(ours: User, other: str, **settings: Any) -> tuple[bool, tuple[str, ...]]:
    world = Organisation(ours, **{"recording.enabled": True, "recording.follow_law": True} | settings)
    found = recording_plan(ours, world.directory, Direction.OUTBOUND, other)
    return found.announce, found.rules


@pytest.mark.covers("N5", "V10")
def test_the_stricter_of_both_places_decides_whether_the_parties_are_told() -> None:
    new_york, miami = user("mio", NEW_YORK), user("sam", MIAMI)
    assert plan(new_york, TOKYO) == (False, ())
    assert plan(new_york, MIAMI) == (True, ("recording.US-FL",))
    assert plan(miami, TOKYO) == (True, ("recording.US-FL",))
    assert plan(new_york, BERLIN) == (True, ("recording.DE",))


@pytest.mark.covers("N5")
def test_where_the_other_place_is_not_known_the_parties_are_told() -> None:
    assert plan(user("mio", NEW_YORK), "anonymous") == (True, ("recording.*",))
    assert plan(replace(user("mio", NEW_YORK), number=None), TOKYO)[0] is False


@pytest.mark.covers("N5", "S8")
def test_the_organisations_own_word_is_the_least_that_is_played_and_the_law_can_be_left_aside() -> None:
    assert plan(user("mio", NEW_YORK), TOKYO, **{"recording.announcement": True}) == (True, ())
    assert plan(user("mio", NEW_YORK), BERLIN, **{"recording.follow_law": False}) == (False, ())


@pytest.mark.covers("N5")
def test_a_tone_is_played_where_the_rule_says_so_and_words_where_the_other_place_wants_words() -> None:
    value = {"consent": "all", "play": "tone"}
    law = STATUTE.changed((Rule("recording.US-CT", "recording", "US-CT", value, "law", "x", "2026-01-01", {}),))
    ours = user("mio", "+12035550101")
    world = Organisation(ours, **{"recording.enabled": True})
    world.directory = replace(world.directory, law=law)
    assert recording_plan(ours, world.directory, Direction.OUTBOUND, NEW_YORK).told == "recording-beep"
    assert recording_plan(ours, world.directory, Direction.OUTBOUND, MIAMI).told == "recording-announcement"
