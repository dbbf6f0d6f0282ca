"""What Asterisk is told of addresses that are kept out: each change at once, and never a moment without a block."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.adapters.asterisk.ari import AriError
from pbx.adapters.asterisk.fence import AclFence

pytestmark = pytest.mark.covers("TRUST16")

OBJECT = "asterisk/config/dynamic/res_pjsip/acl/"


class HandAsterisk:
    """Keeps the objects that it was given, and answers as 22.10.1 does; ``seen`` is who was out after each step."""

    def __init__(self) -> None:
        self.objects: dict[str, frozenset[str]] = {}
        self.seen: list[set[str]] = []
        self.away = False

    async def ask(self, method: str, address: str, body: Any) -> Any:
        if self.away:
            raise AriError(0, "away")
        name = address.removeprefix(OBJECT)
        if method == "PUT":
            self.send(method, address, body)
            raise AriError(500, "")
        if name not in self.objects:
            raise AriError(404, "")
        if method == "GET":
            raise AriError(500, "")
        del self.objects[name]
        self.seen.append(self.out())

    def send(self, method: str, address: str, body: Any) -> None:
        name = address.removeprefix(OBJECT)
        assert name not in self.objects, "an object that is told again keeps its old list"
        self.objects[name] = frozenset(body["fields"][0]["value"].split(","))
        self.seen.append(self.out())

    def out(self) -> set[str]:
        return set().union(*self.objects.values()) if self.objects else set()


@pytest.fixture
def asterisk() -> HandAsterisk:
    return HandAsterisk()


@pytest.fixture
def fence(asterisk: HandAsterisk) -> AclFence:
    return AclFence(asterisk.ask, asterisk.send)


async def test_addresses_come_and_go_and_those_that_stay_are_never_let_in(
    asterisk: HandAsterisk, fence: AclFence
) -> None:
    stay = {f"10.0.0.{number}" for number in range(200)}
    await fence.keep_out(stay)
    asterisk.seen.clear()
    for number in range(60):
        await fence.keep_out(stay | {f"10.1.0.{number}"})
    await fence.keep_out(stay)
    assert asterisk.out() == stay and all(stay <= seen for seen in asterisk.seen)
    assert len(asterisk.objects) <= 16
    await fence.keep_out(())
    assert asterisk.objects == {}


async def test_one_that_is_blocked_at_once_stays_so_while_it_joins_the_others(
    asterisk: HandAsterisk, fence: AclFence
) -> None:
    await fence.keep_out(["10.0.0.1"])
    for number in range(200):
        fence.at_once(address := f"10.2.0.{number}")
        assert address in asterisk.out()
        asterisk.seen.clear()
        await fence.keep_out(["10.0.0.1", address])
        assert all({"10.0.0.1", address} <= seen for seen in asterisk.seen)


async def test_what_an_earlier_engine_told_is_taken_away_first(asterisk: HandAsterisk, fence: AclFence) -> None:
    await fence.keep_out(["10.0.0.1", "10.0.0.2"])
    fence.at_once("10.0.0.3")
    later = AclFence(asterisk.ask, asterisk.send)
    await later.keep_out(["10.0.0.2"])
    assert asterisk.out() == {"10.0.0.2"}
    asterisk.objects.clear()  # another Asterisk
    later.distrust()
    await later.keep_out(["10.0.0.2"])
    assert asterisk.out() == {"10.0.0.2"}


async def test_an_asterisk_that_is_away_is_said_as_what_it_is(asterisk: HandAsterisk, fence: AclFence) -> None:
    asterisk.away = True
    with pytest.raises(ConnectionError):
        await fence.keep_out(["10.0.0.1"])
    asterisk.away = False
    await fence.keep_out(["10.0.0.1"])
    assert asterisk.out() == {"10.0.0.1"}
