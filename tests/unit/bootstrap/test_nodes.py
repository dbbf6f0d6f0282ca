"""Which nodes are there, which are given up, and what follows from it (A8)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pbx.adapters.asterisk.presence import Registrations
from pbx.bootstrap import nodes as bootstrap_nodes
from pbx.bootstrap.nodes import Nodes
from tests.support.waiting import until

pytestmark = pytest.mark.covers("A8")


class HandNode:
    """What :class:`Nodes` knows of one Asterisk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link = SimpleNamespace(linked=asyncio.Event(), on_change=lambda: None, version="22")
        self.switch: Any = SimpleNamespace(reach=None)
        self.registrations = Registrations()
        self.fence = self.remains = None
        self.browsers_told = SimpleNamespace(all=True)
        self.config = SimpleNamespace(ari_host=f"10.0.0.{ord(name)}", sip_port=5060)
        self.busy = False
        self.admission = SimpleNamespace(overloaded=lambda: self.busy)

    @property
    def is_linked(self) -> bool:
        return self.link.linked.is_set()

    def comes(self) -> None:
        self.link.linked.set()
        self.link.on_change()

    def goes(self) -> None:
        self.link.linked.clear()
        self.link.on_change()


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> tuple[Nodes, Any, Any]:
    monkeypatch.setattr(bootstrap_nodes, "GIVE_UP_S", 0.05)
    a: Any = HandNode("a")
    b: Any = HandNode("b")
    nodes = Nodes([a, b])
    nodes.begin()
    return nodes, a, b


async def test_calls_are_taken_while_any_node_is_there(house: tuple[Nodes, Any, Any]) -> None:
    nodes, a, b = house
    b.comes()
    assert nodes.linked.is_set() and not nodes.settled.is_set(), "the other may still come"
    a.comes()
    assert nodes.settled.is_set()
    b.goes()
    assert nodes.linked.is_set()
    a.goes()
    assert not nodes.linked.is_set()
    nodes.stop()


async def test_trunks_register_from_the_first_that_is_not_given_up(house: tuple[Nodes, Any, Any]) -> None:
    nodes, a, b = house
    given_up: list[str] = []
    nodes.on_given_up = lambda node: given_up.append(node.name)
    a.comes()
    b.comes()
    a.goes()
    assert nodes.registrar is a, "it may be back in a moment"
    await until(lambda: given_up == ["a"], 3, "a to be given up")
    assert nodes.registrar is b and nodes.settled.is_set()
    a.comes()
    assert nodes.registrar is a and not nodes.given_up
    nodes.stop()


async def test_one_that_is_back_in_time_is_not_given_up(house: tuple[Nodes, Any, Any]) -> None:
    nodes, a, b = house
    for node in (a, b):
        node.comes()
        node.goes()
        node.comes()
    await asyncio.sleep(0.1)
    assert not nodes.given_up
    nodes.stop()


async def test_an_engine_that_stops_gives_nobody_up(house: tuple[Nodes, Any, Any]) -> None:
    nodes, a, b = house
    a.comes()
    b.comes()
    nodes.stop()
    a.goes()
    b.goes()
    await asyncio.sleep(0.1)
    assert not nodes.given_up


async def test_a_browsers_phone_goes_where_it_is_and_else_always_to_the_same_node(
    house: tuple[Nodes, Any, Any],
) -> None:
    nodes, a, b = house
    a.comes()
    b.comes()
    chosen = {device: nodes.for_browser(device).name for device in (f"bphone{n}" for n in range(20))}
    assert set(chosen.values()) == {"a", "b"}
    assert all(nodes.for_browser(device).name == name for device, name in chosen.items())
    device = next(device for device, name in chosen.items() if name == "a")
    b.registrations.changed(device, "sip:x@10.0.0.1", "Reachable")
    assert nodes.for_browser(device) is b
    b.goes()
    assert nodes.for_browser(device) is a
    nodes.stop()


async def test_only_where_all_that_are_there_are_at_their_limit_nobody_may_call(
    house: tuple[Nodes, Any, Any],
) -> None:
    nodes, a, b = house
    a.comes()
    b.comes()
    a.busy = True
    assert nodes.overloaded(a) and not nodes.overloaded(b) and not nodes.overloaded()
    b.goes()
    assert nodes.overloaded()
    nodes.stop()
