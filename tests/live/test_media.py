"""Digits, hold, codecs and session timers, heard and counted on the wire (V8 and section 3 of the contract)."""

from __future__ import annotations

import asyncio
import re

import pytest

from pbx.core.events import Ask
from prompts.music import MUSIC_TONES
from tests.live.stage import Outside, Rep, Scene
from tests.support.sip_call import Call
from tests.support.tones import tones_in
from tests.support.waiting import until


async def talking(scene: Scene, **how: object) -> tuple[Rep, Outside, Call, Call]:
    """A standing call that a phone of ours made: the user, the customer, our leg, theirs."""
    rep, customer = await scene.rep(**how), scene.outside()  # type: ignore[arg-type]
    customer.will_answer()
    ours = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await ours.until_answered()
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(540))
    return rep, customer, ours, theirs


async def end(ours: Call, theirs: Call) -> None:
    await ours.hang_up()
    await theirs.until_ended()


@pytest.mark.covers("V8")
@pytest.mark.parametrize("how", ["rfc4733", "info"])
async def test_digits_of_a_phone_reach_the_carrier_and_back(scene: Scene, how: str):
    _, _, ours, theirs = await talking(scene)
    await ours.press("159#", how=how)
    await theirs.until_digits("159#")
    await theirs.press("42*")
    await ours.until_digits("42*")
    await end(ours, theirs)


@pytest.mark.covers("V8")
async def test_digits_of_the_keypad_on_the_screen_reach_the_customers_side_only(scene: Scene):
    rep, _, ours, theirs = await talking(scene)
    scene.stack.control.send_digits(await scene.live_call(rep), "0123456789*#", rep.id)
    await theirs.until_digits("0123456789*#", within=8)
    assert ours.digits == ""
    await end(ours, theirs)
    logged = await scene.logged(rep)
    assert "digits.sent" in logged.kinds and "0123456789" not in str([event.data for event in logged.events])


@pytest.mark.covers("V15")
@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_a_phone_that_holds_gives_the_other_side_music_and_comes_back(scene: Scene, direction: str):
    rep, _, ours, theirs = await talking(scene)
    await ours.hold(direction)
    for tone in MUSIC_TONES:
        await theirs.until_hears(tone)
    assert tones_in(await theirs.listen(0.6), [*MUSIC_TONES, 540]) == set(MUSIC_TONES)
    await ours.resume()
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(540))
    await theirs.until_stops_hearing(MUSIC_TONES[0])
    await end(ours, theirs)
    kinds = (await scene.logged(rep)).kinds
    assert kinds.index("leg.held") < kinds.index("leg.unheld")


@pytest.mark.covers("V15")
async def test_a_customer_who_holds_gives_our_phone_music(scene: Scene):
    _, _, ours, theirs = await talking(scene)
    await theirs.hold()
    for tone in MUSIC_TONES:
        await ours.until_hears(tone)
    await theirs.resume()
    await ours.until_hears(820)
    await end(ours, theirs)


def codec_names(call: Call) -> list[str]:
    body = (call.answer_message or call.invite).body.decode()
    return re.findall(r"a=rtpmap:\d+ (\w+)/", body)


@pytest.mark.covers("V15")
async def test_two_laws_are_transcoded_and_heard_both_ways(scene: Scene):
    _, _, ours, theirs = await talking(scene, codecs=("PCMA",))
    assert codec_names(ours)[0] == "PCMA"
    assert "PCMU" in codec_names(theirs)[0:2]
    await end(ours, theirs)


@pytest.mark.covers("V15")
async def test_one_law_on_both_sides_is_not_transcoded(scene: Scene):
    rep, _, ours, theirs = await talking(scene)
    call_id = await scene.live_call(rep)
    channels = await scene.stack.engine.ari.call("GET", "channels")
    mine = [channel["id"] for channel in channels if call_id[2:] in channel["id"]]
    told = await scene.stack.asterisk.cli(f"core show channel {mine[0]}")
    assert "Not transcoding" in told or not re.search(r"(Write|Read)Transcode: Yes", told) or "ulaw" in told
    assert not re.search(r"opus|g722", "\n".join(line for line in told.splitlines() if "Transcode" in line))
    await end(ours, theirs)


@pytest.mark.covers("V15")
async def test_session_timers_are_agreed_on_and_refreshed(scene: Scene):
    rep, customer = await scene.rep(), scene.outside()
    customer.will_answer()
    ours = await rep.phone.call(customer.number, session_expires=90)
    theirs = await customer.incoming()
    await ours.until_answered()
    expires = ours.answer_message.header("Session-Expires") if ours.answer_message else None
    assert expires is not None and int(expires.split(";")[0]) >= 90
    assert (theirs.header("Session-Expires") or "").startswith("1800")
    assert "timer" in (theirs.header("Supported") or "")
    refreshed = [*rep.phone.contact_headers(), ("Session-Expires", "90;refresher=uac"), ("Supported", "timer")]
    refresh = await ours.request("UPDATE", refreshed)
    assert refresh.status == 200 and refresh.header("Session-Expires")
    await end(ours, theirs)


@pytest.mark.covers("V15")
async def test_a_phone_cannot_send_its_call_out_of_the_house_and_be_gone(scene: Scene):
    _, _, ours, theirs = await talking(scene)
    stranger = scene.outside(tone=980)
    await ours.transfer(stranger.number)
    await until(lambda: any(b"603" in notify.body for notify in ours.notifies), 3, "the phone to be told")
    assert not stranger.calls
    await asyncio.gather(ours.until_hears(820), theirs.until_hears(540))
    await end(ours, theirs)


@pytest.mark.covers("V9")
async def test_a_muted_user_hears_and_is_not_heard_until_unmuted(scene: Scene):
    rep, _, ours, theirs = await talking(scene)
    call = await scene.live_call(rep)
    scene.stack.control.ask(call, Ask.MUTE, rep.id)
    await theirs.until_silence()
    assert ours.hears(820), "the customer is heard all the while"
    scene.stack.control.ask(call, Ask.UNMUTE, rep.id)
    await theirs.until_hears(540)
    await end(ours, theirs)
    assert {"leg.muted", "leg.unmuted"} <= set((await scene.logged(rep)).kinds)
