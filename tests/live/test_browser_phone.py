"""The phone in the browser against the real Asterisk, through the engine's own websocket: SIP, ICE, DTLS-SRTP, Opus."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from crm.repositories import telephony
from crm.services import sessions, users
from crm.unit_of_work import SYSTEM, Store
from pbx.adapters.asterisk.ari import AriError
from tests.live.stage import PROMPTS, Rep, Scene, facts
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.browser import Browser, gone
from tests.support.sip_phone import SipPhone
from tests.support.tones import tones_in
from tests.support.waiting import Deadline, until
from tests.support.webrtc_media import why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PASSWORD = "correct horse battery staple"
VOICE = 620
Open = Callable[..., Awaitable[Browser]]


async def _open(scene: Scene, rep: Rep, opened: list[Browser], tone: float) -> Browser:
    """Sign in, register, and wait until the engine would ring it."""
    async with scene.stack.engine.store.read() as session:
        known = (await users.show(session, rep.id)).has_password
    if not known:
        await scene.stack.change(lambda work: users.set_password(work, rep.id, PASSWORD))
    browser = await Browser.sign_in(scene.stack.config.http_port, rep.user.email, PASSWORD, tone)
    opened.append(browser)
    await browser.start_phone()
    await until(lambda: rings(scene, browser), 2, "the engine to see the browser")
    return browser


@pytest.fixture
async def browse(scene: Scene) -> AsyncIterator[Open]:
    opened: list[Browser] = []

    async def browse(rep: Rep, tone: float = VOICE) -> Browser:
        return await _open(scene, rep, opened, tone)

    yield browse
    await asyncio.gather(*(browser.close() for browser in opened))


def rings(scene: Scene, browser: Browser) -> bool:
    return bool(scene.stack.engine.registrations.phones([browser.user]))


async def in_asterisk(scene: Scene, browser: Browser) -> bool:
    """Whether its endpoint or its credentials are there. A list of endpoints has those, too, that a channel holds."""
    for kind in ("endpoint", "auth"):
        try:
            await scene.stack.engine.ari.call("GET", f"asterisk/config/dynamic/res_pjsip/{kind}/{browser.user}")
        except AriError as error:
            assert error.status == 404
        else:
            return True
    return False


@pytest.mark.covers("V6", "V10")
async def test_a_browser_calls_out_with_its_users_number_and_both_hear_each_other_in_opus(
    scene: Scene, browse: Open
) -> None:
    rep = await scene.rep(phones=0)
    browser = await browse(rep)
    customer = scene.outside()
    call = await browser.call(customer.number)
    theirs = await customer.incoming()
    assert theirs.caller_number == rep.did
    await theirs.answer()
    await call.until_answered()
    await call.until_connected()
    assert call.media.codec == "opus"
    await asyncio.gather(call.until_hears(820), theirs.until_hears(VOICE))
    assert scene.stack.engine.hub.presence.of(rep.id)["state"] == "on_call"
    await asyncio.sleep(0.6)
    await call.hang_up()
    await theirs.until_ended()
    logged = await scene.logged(rep)
    assert (logged.row.disposition, logged.row.device_id) == ("answered", browser.user)
    _, sound = await scene.stack.recorded(logged.row.id)
    known = [820, VOICE]
    assert tones_in(sound.channel(0), known, sound.rate) == {820}
    assert tones_in(sound.channel(1), known, sound.rate) == {VOICE}


@pytest.mark.covers("I1")
async def test_a_call_rings_every_browser_and_desk_phone_and_the_one_that_answers_has_it(
    scene: Scene, browse: Open
) -> None:
    rep = await scene.rep(phones=1)
    first, second = await browse(rep), await browse(rep, 700)
    assert first.user != second.user and scene.stack.engine.hub.presence.of(rep.id)["phones"] == 3
    customer = scene.outside()
    call = await customer.call(rep.did)
    desk, other, ring = await asyncio.gather(rep.phone.incoming(), first.incoming(), second.incoming())
    assert ring.caller_number == customer.number
    await ring.answer()
    await asyncio.gather(call.until_answered(), desk.until_ended(), other.until_ended())
    assert ring.media.codec == "opus"
    await asyncio.gather(call.until_hears(700), ring.until_hears(820))
    await ring.hang_up()
    await call.until_ended()
    logged = await scene.logged(rep)
    assert logged.row.device_id == second.user
    assert logged.results("user") == ["answered", "answered_elsewhere", "answered_elsewhere"]


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_stops_the_browser(scene: Scene, browse: Open) -> None:
    rep = await scene.rep(phones=0)
    browser = await browse(rep)
    call = await scene.outside().call(rep.did)
    ring = await browser.incoming()
    await call.cancel()
    await ring.until_ended(1)


@pytest.mark.covers("I3")
async def test_a_tab_that_was_closed_is_rung_no_more(scene: Scene, browse: Open) -> None:
    rep = await scene.rep(phones=1, ring_time_s=5)
    browser = await browse(rep)
    await gone(browser)
    await until(lambda: not rings(scene, browser), 2, "the registration to go with the connection")
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    await ring.until_ended()
    assert [leg["device_id"] for leg in facts(await scene.logged(rep), "leg.created") if leg.get("device_id")] == (
        rep.devices
    )


async def test_signing_out_ends_the_phone_its_calls_and_its_secret(scene: Scene, browse: Open) -> None:
    rep = await scene.rep(phones=0)
    browser = await browse(rep)
    customer = scene.outside()
    call = await browser.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(820), theirs.until_hears(VOICE))
    assert (await browser.ask("DELETE", "/session"))[0] == 204
    assert (await browser.until_closed())[0] == 4401
    await asyncio.gather(theirs.until_ended(), call.until_ended())
    assert not await in_asterisk(scene, browser)
    await until(lambda: not rings(scene, browser), 2, "the registration to go")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.connect()
    assert refused.value.status == 401
    again = await scene.outside().call(rep.did)
    await again.until_hears(PROMPTS["unreachable"])
    await again.until_ended()


async def test_an_admin_ends_the_logins_of_a_user_and_their_phones_are_gone(scene: Scene, browse: Open) -> None:
    rep = await scene.rep(phones=0)
    first, second = await browse(rep), await browse(rep, 700)
    await scene.stack.change(lambda work: sessions.close_all(work, rep.id))
    assert {(await each.until_closed())[0] for each in (first, second)} == {4401}
    assert not await in_asterisk(scene, first) and not await in_asterisk(scene, second)


async def test_asking_again_renews_the_secret_and_the_old_one_is_worth_nothing(scene: Scene, browse: Open) -> None:
    browser = await browse(await scene.rep(phones=0))
    old = dict(browser.phone)
    status, browser.phone = await browser.ask("POST", "/session/phone")
    assert status == 200 and browser.phone["device_id"] == old["device_id"]
    new, browser.phone = browser.phone, old
    assert (await browser.register()).status in (401, 403)
    browser.phone = new
    assert (await browser.register()).status == 200


@pytest.mark.covers("TRUST15")
async def test_a_browsers_secret_is_of_no_use_on_another_transport_or_in_anothers_connection(
    scene: Scene, browse: Open
) -> None:
    mine, other = await browse(await scene.rep(phones=0)), await browse(await scene.rep(phones=0))
    address = f"<sip:{other.user}@switchhook>"
    await mine.send(mine.request("REGISTER", "sip:switchhook", f"{address};tag=1", address))
    assert (await mine.until_closed())[0] == 4403
    await _refused_elsewhere(scene, other)
    assert rings(scene, other)


async def _refused_elsewhere(scene: Scene, browser: Browser) -> None:
    """A SIP phone with the right name and secret, from another address than that of the engine's proxy."""
    server, secret = scene.stack.server, browser.phone["secret"]
    phone = await SipPhone.start(browser.user, server, secret, host="127.0.0.2", register=False)
    assert (await phone.try_register()).status in (401, 403)
    await phone.stop()


@pytest.mark.covers("TRUST3")
async def test_a_browser_is_back_after_asterisk_was_killed_without_asking_for_another_secret(broken: Scene) -> None:
    opened: list[Browser] = []
    rep = await broken.rep(phones=0)
    browser = await _open(broken, rep, opened, VOICE)
    assert broken.stack.asterisk.pid is not None
    os.kill(broken.stack.asterisk.pid, signal.SIGKILL)
    assert (await browser.until_closed())[0] == 1012
    await broken.stack.asterisk.wait()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.connect()
    assert refused.value.status == 503
    await broken.stack.asterisk.start()
    await _hear_each_other_again(broken, rep, browser)
    await browser.close()


@pytest.mark.covers("P1")
async def test_a_browser_goes_on_talking_while_the_engine_is_another_and_registers_again_with_it(
    broken: Scene,
) -> None:
    opened: list[Browser] = []
    rep = await broken.rep(phones=0)
    browser, ended = await _open(broken, rep, opened, VOICE), await _open(broken, rep, opened, 700)
    customer = broken.outside()
    call = await browser.call(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(820), theirs.until_hears(VOICE))
    await engine_dies(broken.stack)
    assert (await browser.until_closed())[0] == 1001
    theirs.say(900)
    call.say(980)
    await asyncio.gather(call.until_hears(900), theirs.until_hears(980))
    await _close_login_while_nobody_looks(broken, ended)
    await engine_comes_back(broken.stack)
    deadline = Deadline(3)
    while await in_asterisk(broken, ended):
        assert not deadline.over, "the phone of a login that ended meanwhile is still there"
        await asyncio.sleep(0.05)
    assert await in_asterisk(broken, browser)
    await theirs.hang_up()
    await broken.stack.until_nothing_left(8)
    await _hear_each_other_again(broken, rep, browser)
    for each in opened:
        await each.close()


async def _close_login_while_nobody_looks(scene: Scene, browser: Browser) -> None:
    store = Store(scene.stack.config.database_url)
    async with store.read() as session:
        found = {device.id: login for login, device in await telephony.browsers(session)}
    async with store.write(SYSTEM) as work:
        await sessions.close(work, found[browser.user])
    await store.close()


async def _hear_each_other_again(scene: Scene, rep: Rep, browser: Browser) -> None:
    """With the cookie and the secret it has."""
    deadline = Deadline(5)
    while True:
        try:
            await browser.connect()
            break
        except (aiohttp.WSServerHandshakeError, aiohttp.ClientConnectorError):
            assert not deadline.over, "the websocket did not come back"
            await asyncio.sleep(0.1)
    assert (await browser.register()).status == 200
    await until(lambda: rings(scene, browser), 2, "the engine to see the browser")
    call = await scene.outside().call(rep.did)
    ring = await browser.incoming()
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(browser.tone), ring.until_hears(820))
    await call.hang_up()
    await ring.until_ended()
