"""Recording: stereo, paused, resumed, erased, announced, and for whom (V10)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from pbx.core.events import Ask
from tests.live.stage import PROMPTS, Outside, Rep, Scene
from tests.support.sip_call import Call
from tests.support.tones import tone_spans, tones_in
from tests.support.waiting import Stopwatch

VOICES = [540, 820, 900, 940, 980, 1060]


async def answered(scene: Scene, rep: Rep, customer: Outside, inbound: bool) -> tuple[Call, Call, str]:
    """A standing call: the customer's side, our side, the call's id."""
    if inbound:
        theirs = await customer.call(rep.did)
        ours = await rep.phone.incoming()
        await ours.answer()
        await theirs.until_answered()
    else:
        customer.will_answer()
        ours = await rep.phone.call(customer.number)
        theirs = await customer.incoming()
        await ours.until_answered()
    return theirs, ours, await scene.live_call(rep)


@pytest.mark.covers("V10", "V15", "C12")
@pytest.mark.parametrize("inbound", [True, False], ids=["inbound", "outbound"])
async def test_the_customer_is_on_the_left_and_our_side_on_the_right(scene: Scene, inbound: bool):
    rep, customer = await scene.rep(), scene.outside()
    watch = Stopwatch()
    theirs, ours, call_id = await answered(scene, rep, customer, inbound)
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await asyncio.sleep(1)
    await theirs.hang_up()
    await ours.until_ended()
    row, sound = await scene.stack.recorded(call_id)
    assert sound.count == 2
    assert tones_in(sound.channel(0), VOICES, sound.rate) == {820}
    assert tones_in(sound.channel(1), VOICES, sound.rate) == {540}
    logged = await scene.stack.show(call_id)
    assert abs(row.duration_ms - logged.row.talk_ms) < 600 * watch.slowness
    assert row.sha256 and row.channels == 2 and row.codec == "opus"
    assert (scene.stack.config.recordings / row.peaks_path).exists()


@pytest.mark.covers("V10")
async def test_pause_writes_silence_and_resume_goes_on_in_time(scene: Scene):
    rep, customer = await scene.rep(), scene.outside()
    watch = Stopwatch()
    theirs, ours, call_id = await answered(scene, rep, customer, True)
    control = scene.stack.control
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await asyncio.sleep(0.5)
    control.ask(call_id, Ask.PAUSE_RECORDING, rep.id)
    assert scene.stack.engine.records.get(call_id).call["recording_state"] == "paused"
    await scene.stack.engine.ami.action("Ping")  # after what was asked of the recording
    theirs.say(940)  # a card number, say
    await asyncio.gather(ours.until_hears(940), asyncio.sleep(1.2))
    theirs.say(820)
    await ours.until_hears(820)
    control.ask(call_id, Ask.RESUME_RECORDING, rep.id)
    await asyncio.sleep(1)
    await theirs.hang_up()
    await ours.until_ended()
    _, sound = await scene.stack.recorded(call_id)
    assert 940 not in tones_in(sound.mono, VOICES, sound.rate)
    spoken = tone_spans(sound.channel(0), 820, sound.rate)
    gap = max(after.start - before.end for before, after in pairwise(spoken))
    logged = await scene.stack.show(call_id)
    at_us = {event.kind: event.at_us for event in logged.events}
    assert abs(gap - (at_us["recording.resumed"] - at_us["recording.paused"]) / 1e6) < 0.6 * watch.slowness
    assert abs(sound.seconds * 1000 - logged.row.talk_ms) < 600 * watch.slowness


@pytest.mark.covers("V10")
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
async def test_erase_destroys_what_was_recorded_and_goes_on_in_a_new_recording(scene: Scene, paused: bool):
    rep, customer = await scene.rep(), scene.outside()
    theirs, ours, call_id = await answered(scene, rep, customer, False)
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await asyncio.sleep(0.5)
    if paused:
        scene.stack.control.ask(call_id, Ask.PAUSE_RECORDING, rep.id)
    scene.stack.control.ask(call_id, Ask.ERASE_RECORDING, rep.id)
    await asyncio.sleep(0.3)
    theirs.say(940)
    await asyncio.sleep(1)
    await ours.hang_up()
    await theirs.until_ended()
    row, sound = await scene.stack.recorded(call_id)
    heard = tones_in(sound.channel(0), VOICES, sound.rate)
    assert heard == (set() if paused else {940}) or (heard == {820, 940} and not paused)
    assert 820 not in heard or tone_spans(sound.channel(0), 820, sound.rate)[0].length < 0.6
    logged = await scene.stack.show(call_id)
    erased = [recording for recording in logged.recordings if recording.state == "erased"]
    assert len(erased) == 1 and erased[0].path is None and erased[0].id != row.id
    left = [path for path in scene.stack.config.home.rglob("*") if erased[0].id in path.name]
    assert left == []
    assert "recording.erased" in logged.kinds


@pytest.mark.covers("V10", "S8")
async def test_policy_per_user_organisation_and_direction(scene: Scene):
    customer = scene.outside()
    never = await scene.rep(recording_policy="off")
    theirs, ours, _ = await answered(scene, never, customer, True)
    await theirs.hang_up()
    await ours.until_ended()
    assert (await scene.logged(never)).recordings == []
    plain, always = await scene.rep(), await scene.rep(recording_policy="on")
    async with scene.stack.setting("recording.enabled", False):
        for rep, count in ((plain, 0), (always, 1)):
            theirs, ours, _ = await answered(scene, rep, customer, True)
            await theirs.hang_up()
            await ours.until_ended()
            assert len((await scene.logged(rep)).recordings) == count
    await scene.stack.change(lambda work: _record(work, True))
    async with scene.stack.setting("recording.directions", ["outbound"]):
        theirs, ours, _ = await answered(scene, plain, customer, True)
        await theirs.hang_up()
        await ours.until_ended()
        theirs, ours, _call_id = await answered(scene, plain, customer, False)
        await ours.hang_up()
        await theirs.until_ended()
    newest = await scene.logged(plain, nth=3)
    assert newest.row.direction == "outbound" and len(newest.recordings) == 1


async def _record(work: object, on: bool) -> None:
    from crm.services import settings

    await settings.change(work, "recording.enabled", on)  # type: ignore[arg-type]


@pytest.mark.covers("V10")
async def test_both_parties_hear_that_the_call_is_recorded(scene: Scene):
    rep, customer = await scene.rep(), scene.outside(tone=None)
    rep.phone.tone = None
    async with scene.stack.setting("recording.announcement", True):
        theirs, ours, call_id = await answered(scene, rep, customer, False)
        said = PROMPTS["recording-announcement"]
        await asyncio.gather(theirs.until_hears(said), ours.until_hears(said))
        await ours.hang_up()
        await theirs.until_ended()
    assert "recording.announced" in (await scene.stack.show(call_id)).kinds
