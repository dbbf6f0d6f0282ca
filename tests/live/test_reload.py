"""A page with a phone is reloaded, closed, cut off or comes back during a call: the call is not lost (P4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from crm.services import users
from pbx.core.events import Ask
from prompts.music import MUSIC_TONES
from tests.live.stage import PROMPTS, Outside, Rep, Scene, facts
from tests.live.test_conference import heard as all_heard
from tests.support.browser import Browser, BrowserCall, gone
from tests.support.sip_call import Call
from tests.support.tones import tones_in
from tests.support.waiting import Stopwatch, until
from tests.support.webrtc_media import why_not

pytestmark = [pytest.mark.covers("P4"), pytest.mark.skipif(bool(why_not()), reason=why_not())]

PASSWORD = "correct horse battery staple"
BEFORE, AFTER, CUSTOMER, MOBILE, COLLEAGUE = 620, 700, 820, 940, 540
VOICES = [BEFORE, AFTER, CUSTOMER, COLLEAGUE, *MUSIC_TONES]
Open = Callable[..., Awaitable[Browser]]


async def open_page(scene: Scene, rep: Rep, opened: list[Browser], tone: float = BEFORE) -> Browser:
    async with scene.stack.engine.store.read() as session:
        known = (await users.show(session, rep.id)).has_password
    if not known:
        await scene.stack.change(lambda work: users.set_password(work, rep.id, PASSWORD))
    browser = await Browser.sign_in(scene.stack.config.http_port, rep.user.email, PASSWORD, tone)
    opened.append(browser)
    await browser.start_phone()
    registrations = scene.stack.engine.registrations
    await until(lambda: bool(registrations.phones([browser.user])), 2, "the engine to see the page")
    return browser


@pytest.fixture
async def opened() -> AsyncIterator[list[Browser]]:
    pages: list[Browser] = []
    yield pages
    await asyncio.gather(*(page.close() for page in pages))


async def comes_in(scene: Scene, rep: Rep, page: Browser, customer: Outside) -> tuple[Call, BrowserCall, str]:
    """The customer's side, the page's, the call's id."""
    theirs = await customer.call(rep.did)
    ours = await page.incoming()
    await ours.answer()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(BEFORE), ours.until_hears(CUSTOMER))
    return theirs, ours, await scene.live_call(rep)


async def goes_out(scene: Scene, rep: Rep, page: Browser, customer: Outside) -> tuple[Call, BrowserCall, str]:
    ours = await page.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await ours.until_answered()
    await asyncio.gather(theirs.until_hears(BEFORE), ours.until_hears(CUSTOMER))
    return theirs, ours, await scene.live_call(rep)


async def heard(call: Call, *tones: float) -> None:
    await all_heard(call, *tones, among=VOICES)


async def hears_music(call: Call, within: float) -> float:
    """How long it took."""
    watch = Stopwatch()
    await asyncio.gather(*(call.until_hears(tone, within) for tone in MUSIC_TONES))
    return watch.granted


def shown(scene: Scene, call_id: str) -> dict[str, Any]:
    """The conversation as the console's snapshot has it."""
    calls = scene.stack.engine.hub.snapshot("", sees_all=True)["calls"]
    return next(dict(call["conference"]) for call in calls if call["id"] == call_id)


async def next_page(page: Browser, opened: list[Browser], tone: float = AFTER) -> Browser:
    fresh = page.another_page(tone)
    opened.append(fresh)
    await fresh.start_phone()
    return fresh


@pytest.mark.parametrize("begins", [comes_in, goes_out])
async def test_a_reload_gives_the_customer_music_and_then_the_user_again(
    scene: Scene, opened: list[Browser], begins: Any
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, _, call_id = await begins(scene, rep, page, customer)
    await page.leave()
    assert await hears_music(theirs, 2) < 1
    lost = shown(scene, call_id)["reconnecting"]
    assert [each["user_id"] for each in lost] == [rep.id] and lost[0]["leg"] == shown(scene, call_id)["host_leg"]
    assert [each["by"] for each in shown(scene, call_id)["held"]] == ["reconnecting"]
    assert scene.stack.engine.hub.presence.of(rep.id)["state"] == "on_call"
    fresh = await next_page(page, opened)
    ours = await fresh.incoming()
    assert ours.rejoins == call_id
    await asyncio.gather(theirs.until_hears(AFTER), ours.until_hears(CUSTOMER))
    await theirs.until_stops_hearing(MUSIC_TONES[0])
    now = shown(scene, call_id)
    assert not now["reconnecting"] and not now["held"]
    await asyncio.sleep(0.6)
    await ours.hang_up()
    await theirs.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.id, logged.row.disposition) == (call_id, "answered")
    assert logged.kinds.count("phone.lost") == logged.kinds.count("phone.back") == 1
    people = await scene.stack.participants(call_id)
    assert sorted(each.role for each in people) == ["customer", "host"], "one record for each person"
    _, sound = await scene.stack.recorded(call_id)
    known = [CUSTOMER, BEFORE, AFTER]
    assert tones_in(sound.channel(0), known, sound.rate) == {CUSTOMER}
    assert tones_in(sound.channel(1), known, sound.rate) == {BEFORE, AFTER}


async def test_a_websocket_that_is_lost_alone_changes_nothing_and_the_end_arrives_over_the_next_one(
    scene: Scene, opened: list[Browser]
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, ours, call_id = await goes_out(scene, rep, page, customer)
    await gone(page)
    await page.until_closed()
    lost = time.monotonic()
    await asyncio.sleep(3.5)  # longer than a page without sound would be waited for
    # Of Opus as G.711 no tone is pure for as long as hears() wants it: measured, at an even level and without a gap.
    assert theirs.tones(VOICES) == {BEFORE} and ours.hears(CUSTOMER)
    assert theirs.ear.packets_between(lost, time.monotonic()) > 150
    await page.connect()
    assert (await page.register()).status == 200
    await ours.renegotiate()
    await asyncio.gather(theirs.until_hears(BEFORE), ours.until_hears(CUSTOMER))
    assert not shown(scene, call_id)["reconnecting"]
    await theirs.hang_up()
    await ours.until_ended()
    assert "phone.lost" not in (await scene.logged(rep)).kinds


async def test_who_hangs_up_while_the_websocket_is_lost_is_told_by_the_events(
    scene: Scene, opened: list[Browser]
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, _, call_id = await goes_out(scene, rep, page, customer)
    await gone(page)
    await theirs.hang_up()
    await scene.logged(rep)
    status, answer = await page.ask("GET", f"/calls/{call_id}")
    assert status == 200 and answer["state"] == "ended" and answer["disposition"] == "answered"


async def test_a_page_that_crashed_is_missed_by_its_sound(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, ours, _ = await comes_in(scene, rep, page, customer)
    await gone(page)
    await ours.media.close()
    assert await hears_music(theirs, 5) < 4
    fresh = await next_page(page, opened)
    ours = await fresh.incoming()
    await asyncio.gather(theirs.until_hears(AFTER), ours.until_hears(CUSTOMER))
    await theirs.hang_up()
    await ours.until_ended()


async def test_a_page_that_says_that_it_leaves_need_not_close_its_connection(
    scene: Scene, opened: list[Browser]
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, ours, _ = await comes_in(scene, rep, page, customer)
    assert (await page.ask("POST", "/session/phone/leaving"))[0] == 204
    assert await hears_music(theirs, 2) < 1
    await ours.until_ended()
    await theirs.hang_up()


async def test_where_no_page_comes_back_the_forwarding_number_takes_the_call(
    scene: Scene, opened: list[Browser]
) -> None:
    mobile, customer = scene.outside(MOBILE), scene.outside(CUSTOMER)
    rep = await scene.rep(phones=0, forwarding_number=mobile.number)
    page = await open_page(scene, rep, opened)
    async with scene.stack.setting("reload.wait_s", 3):
        theirs, _, call_id = await comes_in(scene, rep, page, customer)
        await page.leave()
        await hears_music(theirs, 2)
        at_mobile = await mobile.incoming(5)
    assert at_mobile.caller_number == rep.did
    await at_mobile.answer()
    await at_mobile.until_hears(PROMPTS["accept-forward"])
    await at_mobile.press("1")
    await asyncio.gather(theirs.until_hears(MOBILE), at_mobile.until_hears(CUSTOMER))
    assert not shown(scene, call_id)["reconnecting"]
    await at_mobile.hang_up()
    await theirs.until_ended()
    assert "forward.accepted" in (await scene.logged(rep)).kinds


async def test_where_nobody_takes_it_the_customer_is_told_and_the_log_says_why(
    scene: Scene, opened: list[Browser]
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    async with scene.stack.setting("reload.wait_s", 3):
        theirs, _, _ = await comes_in(scene, rep, page, customer)
        await page.leave()
        await hears_music(theirs, 2)
        await theirs.until_hears(PROMPTS["unavailable"], 6)
    await theirs.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason, logged.row.ended_by) == ("answered", "phone_lost", "system")


async def test_a_customer_who_hangs_up_while_waiting_ends_all(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, _, _ = await comes_in(scene, rep, page, customer)
    await page.leave()
    await hears_music(theirs, 2)
    await theirs.hang_up()
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.ended_by) == ("answered", "customer")
    await scene.stack.until_nothing_left()
    fresh = await next_page(page, opened)
    await asyncio.sleep(0.5)
    assert not fresh.calls


async def test_the_user_can_end_the_call_while_the_page_is_away(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, _, call_id = await comes_in(scene, rep, page, customer)
    await page.leave()
    await hears_music(theirs, 2)
    scene.stack.control.ask(call_id, Ask.HANG_UP, rep.id)
    await theirs.until_ended()
    assert (await scene.logged(rep)).row.ended_by == rep.id


async def test_other_phones_of_the_user_ring_when_the_page_stays_away(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=1), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    async with scene.stack.setting("reload.others_after_s", 1):
        theirs, _, _ = await goes_out(scene, rep, page, customer)
        await page.leave()
        await hears_music(theirs, 2)
        desk = await rep.phone.incoming()
    await desk.answer()
    await asyncio.gather(theirs.until_hears(COLLEAGUE), desk.until_hears(CUSTOMER))
    await theirs.hang_up()
    await desk.until_ended()


async def test_a_call_that_rings_during_a_reload_rings_the_new_page(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=0, ring_time_s=20), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs = await customer.call(rep.did)
    await page.incoming()
    await page.leave()
    fresh = await next_page(page, opened)
    ring = await fresh.incoming()
    assert not ring.rejoins and not ring.answered_at
    await ring.answer()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(AFTER), ring.until_hears(CUSTOMER))
    await theirs.hang_up()
    await ring.until_ended()


async def test_a_page_that_is_opened_while_it_rings_rings_too(scene: Scene, opened: list[Browser]) -> None:
    rep, customer = await scene.rep(phones=1, ring_time_s=20), scene.outside(CUSTOMER)
    theirs = await customer.call(rep.did)
    desk = await rep.phone.incoming()
    page = await open_page(scene, rep, opened)
    ring = await page.incoming()
    await ring.answer()
    await asyncio.gather(theirs.until_hears(BEFORE), desk.until_ended())
    await theirs.hang_up()
    await ring.until_ended()


async def test_a_customer_who_is_being_rung_is_let_go_when_the_page_is(scene: Scene, opened: list[Browser]) -> None:
    """Whoever picked up would hear nobody."""
    rep, customer = await scene.rep(phones=0), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    await page.call(customer.number)
    theirs = await customer.incoming()
    await page.leave()
    await theirs.until_ended(2)
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.reason) == ("cancelled", "phone_lost")


@pytest.mark.covers("C9")
async def test_a_guest_talks_on_with_the_customer_while_the_host_is_away_and_is_host_if_that_lasts(
    scene: Scene, opened: list[Browser]
) -> None:
    rep, colleague, customer = await scene.rep(phones=0), await scene.rep(), scene.outside(CUSTOMER)
    page = await open_page(scene, rep, opened)
    theirs, _, call_id = await comes_in(scene, rep, page, customer)
    scene.stack.control.invite(call_id, rep.id, user=colleague.id)
    guest = await colleague.phone.incoming()
    await guest.answer()
    await asyncio.gather(heard(theirs, COLLEAGUE, BEFORE), heard(guest, CUSTOMER, BEFORE))
    await page.leave()
    await asyncio.gather(heard(theirs, COLLEAGUE), heard(guest, CUSTOMER))
    page = await next_page(page, opened)
    ours = await page.incoming()
    await asyncio.gather(heard(theirs, COLLEAGUE, AFTER), heard(guest, CUSTOMER, AFTER), ours.until_hears(CUSTOMER))
    assert shown(scene, call_id)["host_leg"] != shown(scene, call_id)["guest_leg"]
    async with scene.stack.setting("reload.wait_s", 3):
        await page.leave()
        await until(lambda: shown(scene, call_id)["guest_leg"] is None, 5, "the guest to be host")
    await asyncio.gather(heard(theirs, COLLEAGUE), heard(guest, CUSTOMER))
    assert not shown(scene, call_id)["reconnecting"]
    scene.stack.control.ask(call_id, Ask.HANG_UP, colleague.id)
    await asyncio.gather(theirs.until_ended(), guest.until_ended())
    logged = await scene.logged(rep)
    assert [fact["how"] for fact in facts(logged, "party.left")] == ["lost"]
