"""The console's phone when something breaks: connections, networks, secrets, logins, tabs. Nobody reloads the page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from crm.services import sessions
from pbx.web.routes.phone import PROXIES
from pbx.web.sip_proxy import SipProxies, _away
from tests.live.console.phone_page import VOICE, Open, PhonePage
from tests.live.console.test_phone import THEIRS, hear_each_other, over, talk
from tests.live.stage import Scene
from tests.support.waiting import Stopwatch, until


def proxies(scene: Scene) -> SipProxies:
    runner = scene.stack.engine.web._runner
    assert runner is not None
    return runner.app[PROXIES]


def cut(scene: Scene) -> None:
    """Every SIP connection of a page ends without a word."""
    for mine in proxies(scene)._open.values():
        for proxy in mine:
            proxy._cut()


@contextlib.contextmanager
def nobody_connects(scene: Scene) -> Iterator[None]:
    """The telephone system is away for pages."""
    there = proxies(scene)

    async def refuse() -> Any:
        raise _away()

    there.connect = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        del there.connect  # type: ignore[attr-defined]


async def until_lost(page: PhonePage, within: float = 3) -> None:
    await page.until_state(lambda state: state["registration"] == "lost", within, "a phone that knows it is lost")


async def back_in(page: PhonePage, lost_at: float) -> float:
    """Seconds from a moment of the page until it was registered again."""
    for entry in await page.states():
        if entry["at"] > lost_at and entry["state"]["registration"] == "ready":
            return float(entry["at"] - lost_at) / 1000
    raise AssertionError("it did not come back")


@pytest.mark.covers("P4")
async def test_a_call_goes_on_when_its_connection_is_cut_and_ends_properly_afterwards(
    scene: Scene, open_page: Open
) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    watch = Stopwatch()
    now = await page.page.evaluate("performance.now()")
    cut(scene)
    await until_lost(page)
    await page.until_ready(3)
    assert await back_in(page, now) < 1 * watch.slowness
    theirs.say(900)
    await hear_each_other(page, theirs, tone=900)
    await renegotiated(page)
    await theirs.hang_up()
    await page.until_free(2)


async def renegotiated(page: PhonePage, times: int = 1) -> None:
    async def sent() -> bool:
        invites = await page.wire("INVITE")
        return (
            sum(1 for each in invites if "tag=" in each["text"].partition("\r\nTo:")[2].partition("\r\n")[0]) >= times
        )

    await page.until(sent, 3, "another INVITE within the call")


@pytest.mark.covers("P4")
async def test_a_hang_up_that_came_while_the_connection_was_lost_is_learnt_of_afterwards(
    scene: Scene, open_page: Open
) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    with nobody_connects(scene):
        cut(scene)
        await until_lost(page)
        await theirs.hang_up()
        await asyncio.sleep(1)
        assert (await page.state())["sessions"], "nobody could tell it"
    await page.until_ready(5)
    await page.until_free(4)
    assert (await page.state())["problem"] is None


async def test_digits_and_mute_work_while_the_connection_is_lost(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    with nobody_connects(scene):
        cut(scene)
        await until_lost(page)
        await page.do("sendDigit", "7")
        await theirs.until_digits("7")
        await page.do("mute", True)
        await theirs.until_silence()
        await page.do("mute", False)
        await theirs.until_hears(VOICE)
    await page.until_ready(8)
    await renegotiated(page)
    await hear_each_other(page, theirs)
    await over(page, theirs)


async def test_a_call_that_nobody_has_answered_yet_ends_with_its_connection(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    customer = scene.outside(THEIRS)
    await page.do("call", customer.number)
    theirs = await customer.incoming()
    await page.until_session("progress")
    cut(scene)
    await page.until_free(2)
    assert (await page.state())["problem"]["code"] == "call_broken"
    await theirs.until_ended(6)
    await page.until_ready(3)


async def test_a_phone_that_was_stopped_can_be_started_again(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    await page.page.evaluate("page.phone.stop()")
    assert (await page.state())["registration"] == "off"
    await page.page.evaluate("page.phone.start()")
    await page.until_ready()
    await over(page, await talk(scene, page))


async def test_a_network_that_is_gone_without_a_word_is_noticed_when_the_page_wakes(
    scene: Scene, open_page: Open
) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    theirs = await talk(scene, page)
    await page.page.evaluate("page.deafen()")
    await page.page.evaluate("dispatchEvent(new Event('online'))")
    await until_lost(page, 4)
    await page.until_ready(3)
    await renegotiated(page)
    await hear_each_other(page, theirs)
    await over(page, theirs)


async def test_a_clock_that_jumped_means_sleep(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    await page.page.evaluate("page.deafen()")
    await page.page.evaluate("{ const now = Date.now; Date.now = () => now() + 3_600_000 }")
    await until_lost(page, 9)
    await page.until_ready(3)


async def test_a_secret_that_another_request_has_renewed_is_asked_for_again(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    await page.ask("POST", "/session/phone")  # from now on the phone's own is worth nothing
    cut(scene)
    await until_lost(page)
    await page.until_ready(5)
    await over(page, await talk(scene, page))


async def test_a_login_that_has_ended_ends_the_phone_and_it_does_not_try_again(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    page = await open_page(rep)
    theirs = await talk(scene, page)
    await scene.stack.change(lambda work: sessions.close_all(work, rep.id))
    state = await page.until_state(lambda state: state["registration"] == "refused", 3, "a phone that was refused")
    assert state["problem"] == {"code": "signed_out", "data": {}}
    await page.until_free()
    await theirs.until_ended()
    tried = len(await page.wire("REGISTER"))
    await asyncio.sleep(1.5)
    assert len(await page.wire("REGISTER")) == tried and not len(proxies(scene))


async def test_a_phone_that_newer_pages_have_stays_away_until_it_is_asked_back(scene: Scene, open_page: Open) -> None:
    page = await open_page(await scene.rep(phones=0))
    for mine in proxies(scene)._open.values():
        for proxy in mine:
            proxy.end(4409, "A newer page of this login has the phone.")
    state = await page.until_state(lambda state: state["registration"] == "elsewhere", 3, "a phone that is elsewhere")
    assert state["problem"]["code"] == "phone_elsewhere"
    await asyncio.sleep(1)
    assert (await page.state())["registration"] == "elsewhere"
    await page.do("reconnect")
    await page.until_ready()
    await over(page, await talk(scene, page))


async def test_one_tab_has_the_phone_and_the_other_controls_it_and_takes_it_over(scene: Scene, open_page: Open) -> None:
    rep = await scene.rep(phones=0)
    first = await open_page(rep)
    second = await open_page(rep, beside=first)
    state = await second.until_ready()
    assert (await first.state())["holder"] and not state["holder"]
    assert scene.stack.engine.hub.presence.of(rep.id)["phones"] == 1
    customer = scene.outside(THEIRS)
    await second.do("call", customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    shown = await second.until_session("up")
    assert shown == await first.until_session("up")
    await asyncio.gather(first.until_hears(THEIRS), theirs.until_hears(VOICE))
    await second.do("mute", True)
    await theirs.until_silence()
    assert (await second.fails("answer"))["code"] == "no_call"
    await second.do("hangUp")
    await theirs.until_ended()
    await asyncio.gather(first.until_free(), second.until_free())
    await first.page.close()
    state = await second.until_state(lambda state: state["holder"], 1, "the phone in the second tab")
    await second.until_ready()
    await over(second, await talk(scene, second))


async def test_a_page_that_goes_away_in_a_call_says_so_and_hangs_up_nothing(
    scene: Scene, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await open_page(await scene.rep(phones=0))
    theirs = await talk(scene, page)
    posted: list[str] = []
    served = scene.stack.engine.metrics.request_served

    def request_served(method: str, path: str, *more: Any) -> None:
        posted.extend([path] if method == "POST" else [])
        served(method, path, *more)

    monkeypatch.setattr(scene.stack.engine.metrics, "request_served", request_served)
    await page.page.goto("about:blank")
    await until(lambda: posted, 2, "the page to say that it leaves")
    await asyncio.sleep(0.5)
    assert not theirs.at.ended
    await theirs.hang_up()
