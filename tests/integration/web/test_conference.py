"""The conference through the API: who may ask for what, and what comes twice or too late (C1 to C11)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from pbx.core.commands import HangUp, JoinBridge, Mute, RingPhone, SendDigits
from pbx.core.events import LegAnswered
from pbx.core.ids import CallId, LegId
from tests.integration.web.world import Someone, World

OTHERS_PARTY = ("hold", "unhold", "kick")


@dataclass
class Three:
    """Mio is host, Sam the guest of a call with a customer."""

    world: World
    call: CallId

    async def ask(self, who: Someone, what: str, body: object = None, **more: object) -> tuple[int, str]:
        """Status, and the code where it is a refusal."""
        status, answer = await self.world.ask("POST", f"/calls/{self.call}/{what}", who, body, **more)
        return status, answer.get("code", "") if isinstance(answer, dict) else ""

    def leg(self, number: int) -> LegId:
        return LegId(f"leg_{self.call[2:]}_{number}")

    async def party(self, who: Someone, number: int, what: str) -> tuple[int, str]:
        return await self.ask(who, f"parties/{self.leg(number)}/{what}")

    def did(self, kind: type) -> list[object]:
        return [each for each in self.world.engine.switch.commands if isinstance(each, kind)]


CUSTOMER, HOST, GUEST = 1, 2, 3


async def invited(world: World) -> Three:
    three = Three(world, world.talk(world.mio))
    assert (await three.ask(world.mio, "invite", {"user": world.sam.id}))[0] == 200
    return three


async def joined(world: World) -> Three:
    three = await invited(world)
    world.engine.calls.deliver(three.call, LegAnswered(three.leg(GUEST)))
    return three


@pytest.mark.covers("C2")
async def test_of_ten_invitations_at_once_one_rings(world: World) -> None:
    three = Three(world, world.talk(world.mio))
    rung = len(three.did(RingPhone))
    answers = await asyncio.gather(*(three.ask(world.mio, "invite", {"user": world.sam.id}) for _ in range(10)))
    assert sorted(answers) == [(200, "")] + [(409, "invite_pending")] * 9
    assert len(three.did(RingPhone)) == rung + 1


@pytest.mark.covers("C2", "TRUST10")
async def test_one_invitation_asked_for_ten_times_with_its_key_is_one(world: World) -> None:
    three = Three(world, world.talk(world.mio))
    rung, key = len(three.did(RingPhone)), {"Idempotency-Key": "invite-once"}
    wanted = {"user": world.sam.id}
    answers = await asyncio.gather(*(three.ask(world.mio, "invite", wanted, headers=key) for _ in range(10)))
    assert set(answers) == {(200, "")} and len(three.did(RingPhone)) == rung + 1
    assert await three.ask(world.mio, "invite", wanted, headers=key) == (200, ""), "and later, too"


@pytest.mark.covers("C6", "C7")
async def test_the_same_command_many_times_at_once_is_done_once(world: World) -> None:
    three = await joined(world)
    joins = len(three.did(JoinBridge))
    assert set(await asyncio.gather(*(three.party(world.mio, CUSTOMER, "hold") for _ in range(5)))) == {(200, "")}
    assert len(three.did(JoinBridge)) == joins + 1
    dropped = await asyncio.gather(*(three.party(world.mio, GUEST, "kick") for _ in range(5)))
    assert sorted(dropped) == [(200, "")] + [(409, "not_a_party")] * 4
    ended = await asyncio.gather(*(three.ask(world.mio, "hangup") for _ in range(5)))
    assert sorted(ended) == [(200, "")] + [(409, "call_over")] * 4
    assert len(three.did(HangUp)) == 3


@pytest.mark.covers("C11")
async def test_after_the_handover_the_first_host_may_nothing_and_the_guest_may_all(world: World) -> None:
    three = await joined(world)
    assert await three.ask(world.mio, "leave") == (200, "")
    for what in ("hangup", "mute", "recording/pause", "recording/erase", "invite/cancel"):
        assert await three.ask(world.mio, what) == (403, "host_only"), what
    assert await three.ask(world.mio, "invite", {"user": world.alex.id}) == (403, "host_only")
    assert await three.ask(world.mio, "digits", {"digits": "1"}) == (403, "host_only")
    assert await three.ask(world.mio, "leave") == (409, "not_a_party")
    for what in OTHERS_PARTY:
        assert await three.party(world.mio, CUSTOMER, what) == (403, "host_only")
    assert not three.did(Mute) and not three.did(SendDigits)
    assert await three.party(world.sam, CUSTOMER, "hold") == (200, "")
    assert await three.ask(world.sam, "invite", {"user": world.alex.id}) == (200, "")
    assert await three.ask(world.sam, "invite/cancel") == (200, "")
    assert await three.ask(world.sam, "hangup") == (200, "")


@pytest.mark.covers("C11")
async def test_a_guest_may_mute_and_leave_and_no_more(world: World) -> None:
    three = await joined(world)
    for what in ("hangup", "recording/pause", "recording/erase", "invite/cancel"):
        assert await three.ask(world.sam, what) == (403, "host_only"), what
    assert await three.ask(world.sam, "invite", {"user": world.alex.id}) == (403, "host_only")
    for number in (CUSTOMER, HOST, GUEST):
        for what in OTHERS_PARTY:
            assert await three.party(world.sam, number, what) == (403, "host_only")
    assert await three.ask(world.sam, "mute") == (200, "")
    assert three.did(Mute) == [Mute(three.leg(GUEST), True)]
    assert await three.ask(world.sam, "leave") == (200, "")


@pytest.mark.covers("C11")
async def test_who_is_being_rung_may_decline_and_no_more(world: World) -> None:
    three = await invited(world)
    for what in ("hangup", "mute", "recording/pause", "invite/cancel"):
        assert await three.ask(world.sam, what) == (403, "host_only"), what
    assert await three.ask(world.sam, "digits", {"digits": "1"}) == (403, "host_only")
    assert await three.ask(world.sam, "leave") == (409, "not_a_party")
    assert await three.ask(world.sam, "ignore") == (200, "")
    assert await three.ask(world.sam, "ignore") == (409, "not_now")


@pytest.mark.covers("C11")
async def test_others_may_nothing_a_manager_looks_and_an_admin_acts_for_the_host(world: World) -> None:
    three = Three(world, world.talk(world.mio))
    for who, sees in ((world.sam, 403), (world.alex, 200)):
        assert (await world.ask("GET", f"/calls/{three.call}", who))[0] == sees
        for what in ("hangup", "leave", "mute", "recording/pause", "invite/cancel", "ignore"):
            assert await three.ask(who, what) == (403, "forbidden"), what
        assert await three.ask(who, "invite", {"user": who.id}) == (403, "forbidden")
        assert await three.ask(who, "digits", {"digits": "1"}) == (403, "forbidden")
        assert await three.party(who, CUSTOMER, "kick") == (403, "forbidden")
    assert await three.ask(world.robin, "invite", {"user": world.sam.id}) == (200, "")
    assert await three.ask(world.robin, "invite/cancel") == (200, "")
    assert await three.party(world.robin, CUSTOMER, "hold") == (200, "")
    assert (await three.ask(world.robin, "digits", {"digits": "1"}))[0] == 204
    assert await three.ask(world.robin, "mute") == (200, "")
    assert await three.ask(world.robin, "hangup") == (200, "")


@pytest.mark.covers("C10", "C11")
async def test_whatever_is_asked_of_a_call_that_is_just_over_is_told_so(world: World) -> None:
    three = await joined(world)
    assert await three.ask(world.mio, "hangup") == (200, "")
    commands = ("hangup", "leave", "mute", "unmute", "invite/cancel", "recording/pause", "ignore")

    async def told() -> set[tuple[int, str]]:
        said = {await three.ask(world.mio, what) for what in commands}
        said.add(await three.ask(world.mio, "invite", {"user": world.sam.id}))
        said.add(await three.ask(world.mio, "digits", {"digits": "1"}))
        return said | {await three.party(world.mio, CUSTOMER, what) for what in OTHERS_PARTY}

    assert await told() == {(409, "call_over")}, "its legs are still ending"
    world.end(three.call)
    assert await told() == {(409, "call_over")}, "nothing of it is left"
    await world.stored()
    assert await told() == {(409, "call_over")}
