"""Several Asterisks as one switch: where a call lives, and how a phone of another node is rung (A8)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.adapters.asterisk.nodes import NodeRegistrations, NodeSwitch
from pbx.adapters.asterisk.presence import Registrations
from pbx.core.causes import Cause
from pbx.core.commands import HangUp
from pbx.core.ids import CallId, LegId

pytestmark = pytest.mark.covers("A8")

FIRST, SECOND = CallId("c_1"), CallId("c_2")
PHONE, URI = "dphone1", "sip:dphone1@10.0.0.50:5060"
DIAL = f"PJSIP/{PHONE}/{URI}"


class HandSwitch:
    """One node's."""

    def __init__(self) -> None:
        self.ready = True
        self.commands: list[CallId] = []
        self.forgotten: list[CallId] = []

    def adopt(self, call: CallId, leg: str, channel: str) -> None: ...

    def carry_out(self, call: CallId, command: Any) -> None:
        self.commands.append(call)

    def forget(self, call: CallId) -> None:
        self.forgotten.append(call)


class House:
    def __init__(self) -> None:
        self.linked = {"a", "b"}
        self.a, self.b = HandSwitch(), HandSwitch()
        self.known = {"a": Registrations(), "b": Registrations()}
        self.registrations = NodeRegistrations(self.known, self.linked.__contains__)
        both: Any = {"a": self.a, "b": self.b}
        self.switch = NodeSwitch(both, self.linked.__contains__, self.registrations.where)


@pytest.fixture
def house() -> House:
    return House()


def test_a_call_lives_where_its_channel_came_and_all_its_commands_go_there(house: House) -> None:
    assert house.switch.place(FIRST, "b-1732641234.7", "") == "b"
    house.switch.carry_out(FIRST, HangUp(LegId("leg_1_1"), Cause.NORMAL))
    assert (house.a.commands, house.b.commands) == ([], [FIRST])
    house.switch.forget(FIRST)
    assert house.b.forgotten == [FIRST] and house.switch.calls["b"] == 0


def test_a_call_that_is_asked_for_lives_where_the_first_phone_is(house: House) -> None:
    house.known["b"].changed(PHONE, URI, "Reachable")
    assert house.switch.place(FIRST, "", DIAL) == "b"


def test_else_it_lives_where_the_fewest_are_of_those_that_are_there(house: House) -> None:
    assert [house.switch.place(CallId(f"c_{n}"), "", "") for n in range(4)] == ["a", "b", "a", "b"]
    house.linked.discard("a")
    assert house.switch.place(SECOND, "", "") == "b"


def test_a_node_that_is_away_takes_no_new_call_though_its_phone_was_there(house: House) -> None:
    house.known["b"].changed(PHONE, URI, "Reachable")
    house.linked.discard("b")
    assert house.switch.place(FIRST, "", DIAL) == "a"


def test_a_call_of_an_earlier_engine_lives_where_that_one_put_it(house: House) -> None:
    house.switch.again(FIRST, "b")
    assert house.switch.node(FIRST) == "b"
    assert not house.switch.away(FIRST)
    house.b.ready = False
    assert house.switch.away(FIRST)


def test_a_phone_of_another_node_is_rung_there_by_its_binding(house: House) -> None:
    house.known["b"].changed(PHONE, URI, "Reachable")
    elsewhere = house.registrations.reach("a", DIAL)
    assert elsewhere is not None
    assert (elsewhere.dial, elsewhere.binding) == (f"PJSIP/{PHONE}@node-b", URI)
    assert house.registrations.reach("b", DIAL) is None
    assert house.registrations.reach("a", "PJSIP/+12065550100@tr_1") is None


def test_a_phone_that_two_nodes_know_is_rung_once_and_none_of_a_node_that_is_away(house: House) -> None:
    for known in house.known.values():
        known.changed(PHONE, URI, "Reachable")
    assert [phone.dial for phone in house.registrations.phones([PHONE])] == [DIAL]
    assert house.registrations.registered() == {PHONE: 1}
    house.linked.clear()
    assert house.registrations.phones([PHONE]) == () and not house.registrations.reachable(PHONE)
