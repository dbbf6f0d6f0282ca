"""A new engine takes over calls in every state, and what happened while none was there is made up for (P1)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from pbx.core.events import Ask, PartyAsk
from prompts.music import MUSIC_TONES
from tests.live.stage import PROMPTS, Logged, Outside, Rep, Scene
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.sip_call import Call
from tests.support.tones import tone_spans, tones_in
from tests.support.waiting import until

pytestmark = pytest.mark.covers("P1")


@pytest.fixture
async def scene(broken: Scene) -> AsyncIterator[Scene]:
    yield broken


async def another_engine(scene: Scene) -> None:
    await engine_dies(scene.stack)
    await engine_comes_back(scene.stack)


@contextlib.asynccontextmanager
async def unseen(scene: Scene) -> AsyncIterator[Callable[[int], bool]]:
    """What is done in the block no engine sees, and the next one comes a second later. Gives whether a moment of the
    log is that of the block."""
    began_us = time.time_ns() // 1000
    done_us = began_us
    yield lambda at_us: began_us - 100_000 <= at_us < done_us + 500_000
    done_us = time.time_ns() // 1000
    await asyncio.sleep(1)
    await engine_comes_back(scene.stack)


async def talking(scene: Scene, rep: Rep, customer: Outside) -> tuple[Call, Call, str]:
    """A standing inbound call: the customer's side, our side, the call's id."""
    theirs = await customer.call(rep.did)
    ours = await rep.phone.incoming()
    await ours.answer()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    return theirs, ours, await scene.live_call(rep)


def numbered_without_gaps(logged: Logged) -> None:
    assert [event.seq for event in logged.events] == list(range(1, len(logged.events) + 1))
    assert logged.kinds.count("call.created") == logged.kinds.count("call.ended") == 1


def moments(logged: Logged, *kinds: str) -> list[int]:
    """When the first of each kind happened, by the engine's clock."""
    return [next(event.at_us for event in logged.events if event.kind == kind) for kind in kinds]


async def test_a_call_that_was_taken_over_is_muted_paused_and_hung_up_as_any_other(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    theirs, ours, call_id = await talking(scene, rep, customer)
    await another_engine(scene)
    control = scene.stack.control
    assert scene.stack.engine.hub.presence.of(rep.id)["state"] == "on_call"
    control.ask(call_id, Ask.MUTE, rep.id)
    await theirs.until_stops_hearing(540)
    control.ask(call_id, Ask.UNMUTE, rep.id)
    await theirs.until_hears(540)
    control.ask(call_id, Ask.PAUSE_RECORDING, rep.id)
    await scene.stack.engine.ami.action("Ping")  # after what was asked of the recording
    theirs.say(980)
    await ours.until_hears(980)
    theirs.say(820)
    await ours.until_hears(820)
    control.ask(call_id, Ask.RESUME_RECORDING, rep.id)
    await asyncio.sleep(0.6)
    control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(theirs.until_ended(), ours.until_ended())
    _, sound = await scene.stack.recorded(call_id)
    assert tones_in(sound.channel(0), [820, 980], sound.rate) == {820}, "what was said while paused"
    numbered_without_gaps(await scene.logged(rep, disposition="answered"))


async def test_a_call_that_was_muted_and_paused_is_so_with_the_next_engine(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    theirs, ours, call_id = await talking(scene, rep, customer)
    scene.stack.control.ask(call_id, Ask.MUTE, rep.id)
    scene.stack.control.ask(call_id, Ask.PAUSE_RECORDING, rep.id)
    await scene.stack.engine.ami.action("Ping")  # after what was asked of the recording
    await theirs.until_stops_hearing(540)
    await another_engine(scene)
    theirs.say(980)
    await ours.until_hears(980)
    assert not theirs.hears(540)
    record = scene.stack.engine.records.get(call_id)
    assert record is not None and record.muted and record.call["recording_state"] == "paused"
    scene.stack.control.ask(call_id, Ask.UNMUTE, rep.id)
    await theirs.until_hears(540)
    await theirs.hang_up()
    _, sound = await scene.stack.recorded(call_id)
    assert tones_in(sound.channel(0), [820, 980], sound.rate) == {820}


async def test_who_hangs_up_while_no_engine_is_there_is_in_the_log_with_the_right_time(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    theirs, ours, _ = await talking(scene, rep, customer)
    await engine_dies(scene.stack)
    async with unseen(scene) as at_that_time:
        await theirs.hang_up()
    await ours.until_ended()
    logged = await scene.logged(rep, disposition="answered")
    assert at_that_time(logged.row.ended_us) and logged.row.ended_by == "customer"
    assert at_that_time(logged.leg("customer").ended_us)
    numbered_without_gaps(logged)


async def test_a_dialled_customer_who_hangs_up_while_no_engine_is_there_is_in_the_log_with_the_right_time(
    scene: Scene,
) -> None:
    rep, customer = await scene.rep(), scene.outside()
    await scene.stack.change(lambda work: _no_recording(work))
    ours = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await ours.until_answered()
    await engine_dies(scene.stack)
    async with unseen(scene) as at_that_time:
        await theirs.hang_up()
    await ours.until_ended()
    logged = await scene.logged(rep, disposition="answered")
    assert at_that_time(logged.row.ended_us)


async def _no_recording(work: object) -> None:
    from crm.services import settings

    await settings.change(work, "recording.enabled", False)  # type: ignore[arg-type]


async def test_a_caller_who_gives_up_while_no_engine_is_there_has_missed_and_no_phone_rings_on(scene: Scene) -> None:
    rep = await scene.rep(ring_time_s=20)
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await engine_dies(scene.stack)
    async with unseen(scene) as at_that_time:
        await call.hang_up()
    await ring.until_ended(1)
    logged = await scene.logged(rep, disposition="missed")
    assert at_that_time(logged.row.ended_us)


async def test_a_phone_that_is_picked_up_while_no_engine_is_there_rings_again_alone(scene: Scene) -> None:
    rep = await scene.rep(phones=2, ring_time_s=20)
    call = await scene.outside().call(rep.did)
    first, other = await asyncio.gather(rep.phones[0].incoming(), rep.phones[1].incoming())
    await engine_dies(scene.stack)
    await first.answer()
    await first.until_ended()
    await engine_comes_back(scene.stack)
    await other.until_ended()
    again = await rep.phones[0].incoming()
    await again.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(540), again.until_hears(820))
    assert len(rep.phones[1].calls) == 1
    await call.hang_up()


async def test_the_ring_time_goes_on_while_no_engine_is_there(scene: Scene) -> None:
    rep = await scene.rep(ring_time_s=5, forwarding_number="+12065550199")
    mobile = scene.outside(tone=900, number="+12065550199")
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await engine_dies(scene.stack)
    await asyncio.sleep(1.5)  # by which a time that began anew would end later
    back_us = time.time_ns() // 1000
    await engine_comes_back(scene.stack)
    await mobile.incoming(within=6)
    await ring.until_ended()
    await call.hang_up()
    rung_us, on_us = moments(await scene.logged(rep), "leg.created", "gate.verdict")
    assert on_us - rung_us >= 5_000_000, "the phone rings for its time"
    assert on_us - back_us < 5_000_000, "which has not begun anew"


async def test_a_forwarding_number_rings_on_and_is_asked_by_the_next_engine(scene: Scene) -> None:
    rep = await scene.rep(phones=0, forwarding_number="+12065550199")
    mobile = scene.outside(tone=900, number="+12065550199")
    call = await scene.outside().call(rep.did)
    ring = await mobile.incoming()
    await another_engine(scene)
    await ring.answer()
    await ring.until_hears(PROMPTS["accept-forward"])
    await another_engine(scene)
    await ring.press("1")
    await call.until_answered()
    await asyncio.gather(call.until_hears(900), ring.until_hears(820))
    await ring.hang_up()
    await call.until_ended()
    numbered_without_gaps(await scene.logged(rep, disposition="answered"))


async def test_words_that_end_while_no_engine_is_there_are_followed_by_what_comes_next(scene: Scene) -> None:
    rep = await scene.rep(phones=0)
    call = await scene.outside().call(rep.did)
    await call.until_hears(PROMPTS["unreachable"])
    await engine_dies(scene.stack)
    await call.until_stops_hearing(PROMPTS["unreachable"])
    await engine_comes_back(scene.stack)
    await call.until_ended(2)
    await scene.logged(rep, disposition="no_answer")


async def test_a_dialled_number_that_answers_while_no_engine_is_there_is_talked_to(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    ours = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await engine_dies(scene.stack)
    await theirs.answer()
    await asyncio.sleep(0.3)
    await engine_comes_back(scene.stack)
    await ours.until_answered()
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(540))
    call_id = await scene.live_call(rep)
    await asyncio.sleep(0.7)
    await ours.hang_up()
    await theirs.until_ended()
    _, sound = await scene.stack.recorded(call_id)
    assert tone_spans(sound.channel(0), 820, sound.rate)


async def test_an_own_phone_that_rings_first_is_taken_over_before_the_customer_is_dialled(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    customer.will_answer()
    scene.stack.control.dial(rep.id, customer.number, by=rep.id)
    ours = await rep.phone.incoming()
    await another_engine(scene)
    await ours.answer()
    theirs = await customer.incoming()
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(540))
    assert scene.stack.engine.gate.held == 1
    await ours.hang_up()
    await theirs.until_ended()
    await until(lambda: scene.stack.engine.gate.held == 0, 2, "the reservation to be released")


@pytest.mark.covers("C6")
async def test_three_of_whom_one_is_on_hold_are_taken_over_and_hear_each_other_again(scene: Scene) -> None:
    rep, colleague, customer = await scene.rep(), await scene.rep(), scene.outside()
    theirs, ours, call_id = await talking(scene, rep, customer)
    scene.stack.control.invite(call_id, rep.id, user=colleague.id)
    guest = await colleague.phone.incoming()
    await guest.answer()
    guest.say(620)
    await asyncio.gather(theirs.until_hears(620), ours.until_hears(620))
    await another_engine(scene)
    record = scene.stack.engine.records.get(call_id)
    assert record is not None
    held = next(leg["id"] for leg in record.legs.values() if leg["role"] == "customer")
    scene.stack.control.ask_party(call_id, PartyAsk.HOLD, held, rep.id)
    await ours.until_stops_hearing(820)
    await another_engine(scene)
    await ours.until_hears(620)
    assert not ours.hears(820)
    scene.stack.control.ask_party(call_id, PartyAsk.UNHOLD, held, rep.id)
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(620), guest.until_hears(820))
    scene.stack.control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(*(call.until_ended() for call in (ours, theirs, guest)))


@pytest.mark.covers("C6")
async def test_a_phone_that_was_held_or_came_back_while_no_engine_looked_is_known_to_the_next(scene: Scene) -> None:
    rep, customer = await scene.rep(), scene.outside()
    theirs, ours, call_id = await talking(scene, rep, customer)
    await ours.hold()
    await theirs.until_stops_hearing(540)
    await engine_dies(scene.stack)
    await ours.resume()
    await engine_comes_back(scene.stack)
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await engine_dies(scene.stack)
    await ours.hold()
    await engine_comes_back(scene.stack)
    for tone in MUSIC_TONES:
        await theirs.until_hears(tone)
    scene.stack.control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(theirs.until_ended(), ours.until_ended())
