"""Engine or Asterisk go away under calls in every state: nobody is left in silence, no row stays open."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from crm.services import voicemails
from pbx import bootstrap
from tests.live.stage import PROMPTS, Scene, Stack
from tests.support.tones import read_sound, tones_in
from tests.support.waiting import Deadline, until


@pytest.fixture
async def scene(broken: Scene) -> Scene:
    return broken


async def engine_dies(stack: Stack) -> None:
    """It says nothing to Asterisk: in there all goes on."""
    await stack.engine.stop()


async def engine_comes_back(stack: Stack) -> None:
    stack.engine = await bootstrap.open_engine(stack.config)
    await stack.engine.start()
    await stack.engine.until_linked()


@pytest.mark.covers("P1", "I1")
async def test_phones_that_ring_when_the_engine_dies_ring_on_and_are_answered_with_the_next(scene: Scene) -> None:
    rep = await scene.rep(ring_time_s=20)
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(540), ring.until_hears(820))
    await call.hang_up()
    logged = await scene.logged(rep, disposition="answered")
    assert len(rep.phone.calls) == 1 and logged.kinds.count("call.created") == 1
    assert [event.seq for event in logged.events] == list(range(1, len(logged.events) + 1))


@pytest.mark.covers("P1")
async def test_a_number_that_is_being_dialled_when_the_engine_dies_is_still_reached(scene: Scene) -> None:
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming()
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(820), ring.until_hears(540))
    await ring.hang_up()
    await call.until_ended()
    await scene.logged(rep, disposition="answered")


@pytest.mark.covers("P3", "I7")
async def test_a_message_that_is_being_left_when_the_engine_dies_goes_on_and_can_be_heard(scene: Scene) -> None:
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    call = await scene.outside(tone=None).call(rep.did)
    await call.until_hears(PROMPTS["beep"], 8)
    call.say(940)
    await asyncio.sleep(1)
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    call.say(1060)
    await asyncio.sleep(1)
    await call.hang_up()

    async def found() -> Any:
        async with scene.stack.engine.store.read() as session:
            return (await voicemails.list_all(session, rep.id)).items

    deadline = Deadline(8)
    while not (items := await found()):
        assert not deadline.over, "no message"
        await asyncio.sleep(0.1)
    sound = read_sound(scene.stack.config.recordings / str(items[0].path))
    assert tones_in(sound.mono, [940, 1060], sound.rate) == {940, 1060}


@pytest.mark.covers("P1")
async def test_people_who_talk_do_not_notice_that_the_engine_is_another(scene: Scene) -> None:
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await asyncio.gather(call.until_hears(820), theirs.until_hears(540))
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    theirs.say(900)
    await call.until_hears(900)
    await call.hang_up()
    await theirs.until_ended()
    logged = await scene.logged(rep, disposition="answered", within=6)
    assert logged.row.ended_us is not None


@pytest.mark.covers("TRUST3")
async def test_calls_that_a_killed_asterisk_took_along_are_closed_and_their_user_is_free_again(scene: Scene) -> None:
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await call.until_answered()
    assert scene.stack.asterisk.pid is not None
    os.kill(scene.stack.asterisk.pid, signal.SIGKILL)
    await scene.stack.asterisk.wait()
    await scene.stack.asterisk.start()
    await until(lambda: len(scene.stack.engine.calls) == 0, 8, "the call to be given up")
    logged = await scene.logged(rep, disposition="interrupted")
    assert logged.row.reason == "switch_restarted"
    assert scene.stack.engine.hub.presence.of(rep.id)["state"] != "on_call"
