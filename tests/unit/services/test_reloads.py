"""What is taken for a page that is gone: its own word, or that it is silent; never a broken connection alone (P4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pbx.core.call import State
from pbx.core.commands import HangUp, RingPhone
from pbx.core.events import Arrived, LegAnswered, LegHeld, Phone
from pbx.core.ids import CallId, LegId
from pbx.services import reloads as module
from pbx.services.reloads import Ending, Reloads
from pbx.services.runtime import Calls
from tests.support.waiting import until
from tests.unit.services.standins import HandClock, HandGate, HandJournal, HandSwitch, Trail
from tests.unit.services.test_browsers import DESK, PHONE, directory
from tests.unit.services.test_runtime import MIO

pytestmark = pytest.mark.covers("P4")
CALL = CallId("c_01HZ0000000000000000000001")
CUSTOMER, PAGE = LegId(f"leg_{CALL[2:]}_1"), LegId(f"leg_{CALL[2:]}_2")


class World:
    """Mio's page rings or talks; ``sounding`` says whether anything comes from there."""

    def __init__(self) -> None:
        self.switch = HandSwitch(Trail())
        self.calls = Calls(self.switch, HandJournal(Trail()), HandClock(), HandGate())
        self.sounding, self.packets, self.asked = True, 0, 0
        self.registered = {PHONE.id: "old", DESK.id: "desk"}
        self.reloads = Reloads(self.calls, lambda: directory(PHONE), self, self.count)
        self.reloads.connected(PHONE.id)
        self.rings()

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        return tuple(Phone(each, self.registered[each]) for each in device_ids if each in self.registered)

    async def count(self, leg: LegId) -> int | None:
        self.asked += 1
        self.packets += self.sounding
        return self.packets

    def rings(self) -> None:
        person = replace(MIO, user_id="u_mio", phones=self.phones([PHONE.id]))
        self.calls.begin(CALL, Arrived("PJSIP-1", person.did, "+12065550150", "", "tr_a", True, person), "PJSIP-1")

    def talks(self) -> None:
        self.calls.deliver(CALL, LegAnswered(PAGE))
        assert self.call.state is State.TALKING

    @property
    def call(self):  # type: ignore[no-untyped-def]
        call = self.calls.get(CALL)
        assert call is not None
        return call

    @property
    def lost(self) -> bool:
        return any(isinstance(command, HangUp) and command.leg == PAGE for command in self.switch.commands)

    @property
    def rung(self) -> list[str]:
        return [command.dial for command in self.switch.commands if isinstance(command, RingPhone)]

    async def listen(self, times: int = 8) -> None:
        heard = self.asked + times
        await until(lambda: self.asked >= heard or self.lost, 3, "the page to be listened to")


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    for name, seconds in (("LOOK_EVERY_S", 0.01), ("SILENT_S", 0.05), ("CONNECTED_SILENT_S", 0.2)):
        monkeypatch.setattr(module, name, seconds)
    return World()


async def test_a_page_that_says_it_goes_is_gone_at_once_with_what_rings_and_what_talks(world: World) -> None:
    world.talks()
    world.reloads.disconnected(PHONE.id, Ending.LEFT)
    assert world.lost and list(world.call.away) == [PAGE]
    assert [phone.device_id for phone in world.call.away[PAGE].others] == [DESK.id]
    world.registered[PHONE.id] = "new"
    world.reloads.registered(PHONE.id)
    assert world.rung == ["old", "new"]


async def test_a_connection_that_ends_by_our_doing_says_nothing(world: World) -> None:
    world.talks()
    world.sounding = False
    world.reloads.disconnected(PHONE.id, Ending.OURS)
    await asyncio.sleep(0.15)
    assert not world.lost and not world.asked


async def test_a_connection_that_breaks_while_sound_goes_on_changes_nothing_until_the_page_is_connected(
    world: World,
) -> None:
    world.talks()
    world.reloads.disconnected(PHONE.id, Ending.CUT)
    await world.listen(20)
    assert not world.lost
    world.reloads.connected(PHONE.id)
    await world.listen(2)
    heard = world.asked
    await asyncio.sleep(0.1)
    assert world.asked <= heard + 1 and not world.lost, "it is listened to no more"


async def test_without_connection_and_sound_the_page_is_gone(world: World) -> None:
    world.talks()
    world.reloads.disconnected(PHONE.id, Ending.CUT)
    await world.listen()
    world.sounding = False
    await until(lambda: world.lost, 2, "the page to be missed")


async def test_a_page_that_comes_before_the_old_one_is_missed_is_rung_when_it_is(world: World) -> None:
    world.talks()
    world.sounding = False
    world.reloads.connected(PHONE.id)
    world.registered[PHONE.id] = "new"
    world.reloads.registered(PHONE.id)
    world.reloads.disconnected(PHONE.id, Ending.CUT)  # the old one's
    assert not world.lost
    await until(lambda: world.lost, 2, "the old page to be missed")
    assert world.rung == ["old", "new"]


async def test_silence_of_which_the_switch_cannot_tell_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(leg: LegId) -> None:
        world.asked += 1

    world.talks()
    monkeypatch.setattr(world.reloads, "_packets", unknown)
    world.reloads.disconnected(PHONE.id, Ending.CUT)
    await world.listen(20)
    assert not world.lost
    world.reloads.stop()


async def test_a_page_that_holds_by_itself_need_not_sound(world: World) -> None:
    world.talks()
    world.calls.deliver(CALL, LegHeld(PAGE, True))
    world.sounding = False
    world.reloads.disconnected(PHONE.id, Ending.CUT)
    await world.listen(20)
    assert not world.lost
    world.reloads.stop()


@pytest.mark.parametrize("ending", [Ending.LEFT, Ending.CUT])
async def test_what_rings_there_is_over_with_the_connection_and_rings_where_the_page_is_back(
    world: World, ending: Ending
) -> None:
    world.reloads.disconnected(PHONE.id, ending)
    assert world.lost and world.call.state is State.RINGING
    world.registered[PHONE.id] = "new"
    world.reloads.connected(PHONE.id)
    world.reloads.registered(PHONE.id)
    assert world.rung == ["old", "new"]


async def test_after_nobody_listened_every_page_is(world: World) -> None:
    world.talks()
    world.reloads.disconnected(PHONE.id, Ending.OURS)
    world.sounding = False
    world.reloads.taken_over()
    await until(lambda: world.lost, 2, "the page to be missed")
