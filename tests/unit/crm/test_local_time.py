"""Where somebody is on the clock, by number and by address (L4)."""

from __future__ import annotations

import pytest

from crm import local_time
from crm.local_time import place_of

pytestmark = pytest.mark.covers("L4")


def test_a_number_tells_the_zone_and_an_address_elsewhere_adds_its_own() -> None:
    assert place_of("+81312345678").zones == ("Asia/Tokyo",)
    assert place_of("+12065550150").zones == ("America/Los_Angeles",)
    moved = place_of("+12065550150", "US", "New York")
    assert moved.home is not None and moved.home.region == "NY"
    assert {"America/Los_Angeles", "America/New_York"} <= set(moved.zones)


def test_what_tells_nothing_has_no_zone_and_a_place_is_written_and_read_again() -> None:
    nowhere = place_of("+80012345678")
    assert nowhere.zones == ()
    for place in (nowhere, place_of("+12065550150", "US", "WA"), place_of("+12065550150", "JP")):
        assert local_time.read(place.written()) == place
