"""Behind a NAT, browsers outside must be offered an address that they can reach."""

from __future__ import annotations

import pytest

from pbx.adapters.asterisk.instance import ice_lines


def test_the_public_address_is_offered_besides_this_machines_own() -> None:
    assert ice_lines("127.0.0.7") == "127.0.0.1 => 127.0.0.7,include_local_address"


@pytest.mark.parametrize("external", ["", "127.0.0.1", "pbx.example.com", "1.2.3.4\n[general]", "none; at all"])
def test_nothing_is_added_where_there_is_no_nat_or_no_address(external: str) -> None:
    assert ice_lines(external) == ""
