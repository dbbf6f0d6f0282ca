"""The console's phone in Chromium against the real Asterisk: it rings, is heard, and does what is pressed."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.live.console.phone_page import VOICE, Open, PhonePage
from tests.live.stage import Scene
from tests.support.chromium import media_address
from tests.support.sip_call import Call
from tests.support.tones import tones_in
from tests.support.waiting import Stopwatch

THEIRS = 820


async def talk(scene: Scene, page: PhonePage) -> Call:
    """A call of the page's to somebody outside, answered and heard."""
    customer = scene.outside(THEIRS)
    await page.do("call", customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await page.until_session("up")
    await hear_each_other(page, theirs)
    return theirs


async def hear_each_other(page: PhonePage, theirs: Call, voice: float = VOICE, tone: float = THEIRS) -> None:
    await asyncio.gather(page.until_hears(tone), theirs.until_hears(voice))


async def over(page: PhonePage, theirs: Call) -> None:
    await page.do("hangUp")
    await theirs.until_ended()
    await page.until_free()


@pytest.mark.covers("V4", "V6", "V13")
async def test_a_page_calls_out_and_both_hear_each_other(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    customer = scene.outside(THEIRS)
    await page.do("call", customer.number)
    theirs = await customer.incoming()
    assert theirs.caller_number == rep.did
    assert (await page.until_session("progress"))["number"] == customer.number
    await theirs.answer()
    await page.until_session("up")
    await hear_each_other(page, theirs)
    told = await page.do("statistics")
    assert (told["codec"], told["quality"]) == ("opus", "good")
    assert told["pair"]["local"].startswith("host ")
    await asyncio.sleep(0.6)
    await over(page, theirs)
    logged = await scene.logged(rep)
    _, sound = await scene.stack.recorded(logged.row.id)
    assert tones_in(sound.channel(0), [THEIRS, VOICE], sound.rate) == {THEIRS}
    assert tones_in(sound.channel(1), [THEIRS, VOICE], sound.rate) == {VOICE}


@pytest.mark.covers("I1", "I2")
async def test_a_page_rings_names_the_call_and_answers(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    customer = scene.outside(THEIRS)
    theirs = await customer.call(rep.did)
    ringing = await page.until_session("ringing")
    assert (ringing["number"], ringing["direction"]) == (customer.number, "in")
    assert ringing["callId"] == await scene.live_call(rep)
    await page.page.evaluate("Promise.all([page.command('answer'), page.command('answer')])")  # a double click
    await theirs.until_answered()
    await hear_each_other(page, theirs)
    await theirs.hang_up()
    await page.until_free()


@pytest.mark.covers("I2", "I6")
async def test_a_page_that_rejects_speaks_for_its_user(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=1)
    page = await open_page(rep)
    theirs = await scene.outside().call(rep.did)
    await page.until_session("ringing")
    desk = await rep.phone.incoming()
    await page.do("reject")
    await page.until_free()
    await desk.until_ended(1)
    await theirs.until_ended(4)


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_stops_the_page_ringing(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    theirs = await scene.outside().call(rep.did)
    await page.until_session("ringing")
    await theirs.cancel()
    await page.until_free(1)


@pytest.mark.covers("V5")
async def test_a_call_dialled_in_the_console_is_taken_without_a_ring(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    customer = scene.outside(THEIRS)
    dialled = await page.ask("POST", "/calls", {"to": customer.number})
    session = await page.until_session("up", within=2)
    assert session["callId"] == dialled["id"]
    theirs = await customer.incoming()
    await theirs.answer()
    await hear_each_other(page, theirs)
    await over(page, theirs)


@pytest.mark.covers("V8")
async def test_digits_reach_the_far_side(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    for digit in "15*#":
        await page.do("sendDigit", digit)
    await theirs.until_digits("15*#")
    await over(page, theirs)


@pytest.mark.covers("V9")
async def test_a_muted_page_is_not_heard_and_hears(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    await page.do("mute", True)
    assert (await page.state())["sessions"][0]["muted"]
    await theirs.until_stops_hearing(VOICE)
    await page.until_hears(THEIRS)
    await page.do("mute", False)
    await theirs.until_hears(VOICE)
    await over(page, theirs)


@pytest.mark.covers("C6")
async def test_sound_returns_after_a_hold(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    theirs = await talk(scene, page)
    call = await scene.live_call(rep)
    legs = (await page.ask("GET", f"/calls/{call}"))["legs"]
    customer = next(leg["id"] for leg in legs if leg["role"] == "customer")
    for _ in range(2):
        await page.ask("POST", f"/calls/{call}/parties/{customer}/hold")
        await asyncio.gather(theirs.until_stops_hearing(VOICE), page.until_silence())
        await page.ask("POST", f"/calls/{call}/parties/{customer}/unhold")
        await hear_each_other(page, theirs)
    await over(page, theirs)


async def test_a_stun_server_that_does_not_answer_delays_no_call(scene: Scene, open_page: Open) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((media_address(), 0))
        servers = [f"stun:{media_address()}:{silent.getsockname()[1]}"]
        async with scene.stack.setting("webrtc.ice_servers", servers):
            rep = await scene.rep(phones=0)
            page = await open_page(rep)
            customer = scene.outside(THEIRS)
            watch = Stopwatch()
            clicked = await page.page.evaluate("performance.now()")
            await page.do("call", customer.number)
            theirs = await customer.incoming()
            invited = (await page.wire("INVITE"))[0]["at"]
            assert 400 < invited - clicked < 1500 * watch.slowness
            assert await asyncio.get_running_loop().sock_recv(nonblocking(silent), 100), "it was asked"
            await theirs.answer()
            await page.until_session("up")
            await hear_each_other(page, theirs)
            await over(page, theirs)
            again = await customer.call(rep.did)
            await page.until_session("ringing")
            watch = Stopwatch()
            await page.do("answer")
            await again.until_answered()
            assert watch.granted < 1.5
            await again.hang_up()
            await page.until_free()


def nonblocking(one: socket.socket) -> socket.socket:
    one.setblocking(False)
    return one


@pytest.mark.covers("V14")
async def test_a_refused_microphone_is_told_and_the_next_call_works(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    await page.refuse_microphone()
    problem = await page.fails("call", "+12065550150")
    assert problem == {"code": "microphone_denied", "data": {"browser": "chrome", "by": "user"}}
    state = await page.state()
    assert (state["microphone"], state["problem"]["code"]) == ("denied", "microphone_denied")
    await page.refuse_microphone("NotReadableError")
    assert (await page.fails("prepare"))["code"] == "microphone_busy"
    await page.refuse_microphone("")
    theirs = await talk(scene, page)
    state = await page.state()
    assert (state["microphone"], state["problem"]) == ("granted", None)
    await over(page, theirs)


@pytest.mark.covers("V14")
async def test_a_call_that_cannot_be_answered_for_want_of_a_microphone_rings_on_elsewhere(
    scene: Scene, open_page: Open
) -> None:
    rep = await scene.rep(phones=1)
    page = await open_page(rep)
    await page.refuse_microphone("NotFoundError")
    theirs = await scene.outside(THEIRS).call(rep.did)
    desk = await rep.phone.incoming()
    await page.until_session("ringing")
    assert (await page.fails("answer"))["code"] == "microphone_missing"
    await page.until_free()
    await desk.answer()
    await theirs.until_answered()
    await theirs.hang_up()
    await desk.until_ended()


async def test_an_unplugged_microphone_is_replaced_by_the_next_one(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    await page.speak(700)
    await page.unplug_microphone()
    await theirs.until_hears(700)
    await page.until_hears(THEIRS)
    await page.do("mute", True)
    await page.speak(VOICE)
    await page.unplug_microphone()
    await theirs.until_silence()
    await page.do("mute", False)
    await theirs.until_hears(VOICE)
    await over(page, theirs)


async def test_what_is_no_number_is_refused_before_it_is_dialled(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    assert (await page.fails("call", "sip:evil@example.com"))["code"] == "number_invalid"
    assert (await page.fails("hangUp"))["code"] == "no_call"
    assert not await page.wire("INVITE")


async def test_nobody_waits_for_the_phone_itself(scene: Scene, open_page: Open) -> None:
    """CONSOLE.md's figures, with room for a machine that has other things to do."""
    rep = await scene.rep(phones=0)
    watch = Stopwatch()
    page = await open_page(rep)
    seen = {entry["state"]["registration"]: entry["at"] for entry in reversed(await page.states())}
    register_s = (seen["ready"] - seen["connecting"]) / 1000
    customer = scene.outside(THEIRS)
    customer.will_answer()
    clicked = await page.page.evaluate("performance.now()")
    await page.do("call", customer.number)
    await page.until_session("up")
    answered_s = (await first_up(page) - clicked) / 1000
    theirs = await customer.incoming()
    await hear_each_other(page, theirs)
    await over(page, theirs)
    print(f"registered in {register_s:.2f} s, click to answered {answered_s:.2f} s")
    assert max(register_s, answered_s) < 1.5 * watch.slowness


async def first_up(page: PhonePage) -> float:
    """The moment of the page in which its call stood."""
    ups = (each["at"] for each in await page.states() if any(one["state"] == "up" for one in each["state"]["sessions"]))
    return float(next(ups))
