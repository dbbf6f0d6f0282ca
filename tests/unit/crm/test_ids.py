"""Ids say what they belong to, sort by time, and a device's is never a number."""

from __future__ import annotations

import pytest

from crm import ids


def test_later_ids_sort_after_earlier_ones() -> None:
    made = [ids.ulid(at * 1000) for at in range(1_700_000_000_000, 1_700_000_000_050)]
    assert made == sorted(made) and {len(one) for one in made} == {26}


def test_a_ulid_holds_its_time_as_the_specification_says() -> None:
    assert ids.ulid(1_469_918_176_385_000)[:10] == "01ARYZ6S41"


@pytest.mark.covers("TRUST15")
def test_a_device_is_never_named_like_a_number() -> None:
    made = {ids.new_device() for _ in range(1000)}
    assert len(made) == 1000
    assert all(one[0] == "d" and len(one) == 10 and one.isalnum() and one == one.lower() for one in made)


def test_a_trunk_is_named_in_lower_case_as_asterisk_names_its_endpoint_so() -> None:
    assert ids.new(ids.TRUNK).startswith("tr_") and ids.new(ids.TRUNK).islower()
    assert ids.new(ids.CALL).startswith("c_0")
