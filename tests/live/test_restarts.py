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
from tests.support.sip_call import CallState
from tests.support.tones import read_sound, tones_in
from tests.support.waiting import until


@pytest.fixture
async def scene(broken: Scene) -> Scene:
    return broken


async def engine_dies(stack: Stack) -> None:
    """It says nothing to Asterisk, as a process that is killed."""
    for entry in stack.engine.calls._entries.values():
        for cancel in entry.timers.values():
            cancel()
    await stack.engine.stop()


async def engine_comes_back(stack: Stack) -> None:
    stack.engine = await bootstrap.open_engine(stack.config)
    await stack.engine.start()
    await stack.engine.until_linked()


async def test_a_caller_who_hears_ringing_when_the_engine_dies_rings_again_with_the_next(scene: Scene) -> None:
    rep = await scene.rep(ring_time_s=20)
    customer = scene.outside()
    call = await customer.call(rep.did)
    first = await rep.phone.incoming()
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    second = await rep.phone.incoming(within=4)
    await first.until_ended()
    assert call.state is not CallState.ENDED
    await second.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(540), second.until_hears(820))
    await call.hang_up()
    logged = await scene.logged(rep, disposition="answered")
    assert logged.row.customer_number == customer.number
    interrupted = await scene.logged(rep, disposition="interrupted")
    assert interrupted.row.reason == "engine_restarted"


async def test_a_phone_that_dials_when_the_engine_dies_is_let_go_with_whom_it_calls(scene: Scene) -> None:
    rep = await scene.rep()
    customer = scene.outside()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming()
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)
    await asyncio.gather(call.until_ended(), ring.until_ended())


@pytest.mark.covers("P3", "I7")
async def test_a_message_that_was_being_left_when_the_engine_died_can_be_heard(scene: Scene) -> None:
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    call = await scene.outside(tone=None).call(rep.did)
    await call.until_hears(PROMPTS["beep"], 8)
    call.say(940)
    await asyncio.sleep(2)
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)

    async def found() -> Any:
        async with scene.stack.engine.store.read() as session:
            return (await voicemails.list_all(session, rep.id)).items

    deadline = asyncio.get_running_loop().time() + 8
    while not (items := await found()):
        assert asyncio.get_running_loop().time() < deadline, "no message"
        await asyncio.sleep(0.1)
    sound = read_sound(scene.stack.config.recordings / str(items[0].path))
    assert 940 in tones_in(sound.mono, [940], sound.rate)
    await call.hang_up()


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
    await asyncio.sleep(1.5)
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
