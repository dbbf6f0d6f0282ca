"""Calls that come to the console: the card, its keys, and what the caller hears (I1 to I8)."""

from __future__ import annotations

import asyncio
import re
import time

import numpy as np
import pytest
from playwright.async_api import async_playwright, expect

from tests.live.console.page import Console, Consoles, Open, known_person
from tests.live.console.test_calling import THEIRS, hear_each_other, over
from tests.live.stage import PROMPTS, Rep, Scene
from tests.support.chromium import launch
from tests.support.figures import Figure
from tests.support.sip_call import Call
from tests.support.tones import has_tone

RING_HZ = (880, 1109)
CUT = """() => {
  const inner = ({ clientWidth, scrollWidth }) => scrollWidth > clientWidth;
  const card = document.querySelector('section[aria-label="Incoming call"]');
  const edge = card.getBoundingClientRect().right;
  const buttons = [...card.querySelectorAll('button[title^=Alt]')];
  const cut = buttons.filter((each) => inner(each) || each.getBoundingClientRect().right > edge);
  return buttons.length === 3 ? cut.map(({ textContent }) => textContent) : ['not three'];
}"""
MOVED = """() => {
  const frames = document.getAnimations().filter((each) => each instanceof CSSAnimation);
  const names = frames.flatMap(({ effect }) => effect.getKeyframes().flatMap((frame) => Object.keys(frame)));
  const moved = names.filter((name) => !['offset', 'computedOffset', 'easing', 'composite'].includes(name));
  return [...new Set(moved)].sort();
}"""


async def card_of(console: Console) -> dict[str, float]:
    """The moments of the last card: stood, said who calls, was painted (in a tab behind another one, once a second)."""
    return await console.until(lambda: painted(console), 8, "a card that is painted")


def in_words(card: dict[str, float], call: Call) -> str:
    """The carrier's INVITE is at the engine's Asterisk at once: both are on this machine."""
    invited = (time.time() - time.monotonic() + call.at.invited) * 1000
    stood, named, seen = (card[what] - invited for what in ("at", "named", "painted"))
    return f"{stood:.0f} ms until it stood, {named:.0f} until it named the caller, {seen:.0f} until it was painted"


async def painted(console: Console) -> dict[str, float] | None:
    card: dict[str, float] | None = await console.page.evaluate("moments.cards.at(-1) ?? null")
    return card if card and card["painted"] and card["named"] else None


async def ringing(console: Console, rep: Rep, scene: Scene, **how: object) -> Call:
    theirs = await scene.outside(THEIRS).call(rep.did, **how)
    await expect(console.card).to_be_visible()
    return theirs


@pytest.mark.covers("I1", "I2")
async def test_the_card_stands_in_every_tab_at_once_and_is_answered_by_a_key(
    scene: Scene, consoles: Consoles, figure: Figure
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    name = f"Petra W{customer.number[-4:]}"
    note = "Wants the offer on Friday."
    await known_person(scene, name, ("mobile", customer.number), company="Nordlicht AG", deal="Forty lamps", note=note)
    first = await consoles.open(rep)
    second = await consoles.beside(first)
    await second.page.get_by_role("link", name="Deals", exact=True).click()
    await expect(second.page.get_by_role("heading", name="Deals", level=1)).to_be_visible()
    theirs = await customer.call(rep.did)
    for tab, where in ((first, "behind"), (second, "in front")):
        await expect(tab.card).to_be_visible()
        card = await card_of(tab)
        assert card["at_once"], "it stands in the turn that takes the engine's event"
        assert card["alone"], "nothing that asks the browser's own process goes before its picture"
        assert await tab.page.evaluate(MOVED) == ["opacity", "transform"], "what moves costs the page no picture"
        figure(f"From the INVITE at the engine to the card in the tab {where}: {in_words(card, theirs)}.")
        await expect(tab.card.get_by_role("heading", name=name)).to_be_visible()
        await expect(tab.card.get_by_role("alert")).to_have_text(f"{name} calls")
        for shown in ("Nordlicht AG", "Forty lamps", note, re.compile(r"Rings for \d s more")):
            await expect(tab.card).to_contain_text(shown)
        await expect(tab.page).to_have_title(re.compile(name))
    await second.key("Alt+A")
    await theirs.until_answered()
    await asyncio.gather(first.until_talking(), second.until_talking())
    await hear_each_other(first, theirs)
    await expect(first.card).to_have_count(0)
    await over(second, theirs)
    await first.until_free()


@pytest.mark.covers("I1", "I2", "V7")
async def test_the_card_and_the_bar_stand_by_what_the_engine_tells_while_no_question_of_the_page_is_answered(
    scene: Scene, open_console: Open
) -> None:
    """Neither a file nor a fetch is between the INVITE and the card, nor between the key and the voice."""
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    name, note = f"Petra W{customer.number[-4:]}", "Wants the offer on Friday."
    await known_person(scene, name, ("mobile", customer.number), company="Nordlicht AG", deal="Forty lamps", note=note)
    console = await open_console(rep)
    go_on = await console.unanswered()
    theirs = await customer.call(rep.did)
    await expect(console.card.get_by_role("heading", name=name)).to_be_visible()
    for shown in ("Nordlicht AG", "Forty lamps", note):
        await expect(console.card).to_contain_text(shown)
    await console.key("Alt+A")
    await theirs.until_answered()
    await console.until_talking()
    await expect(console.bar).to_contain_text(name)
    go_on.set()
    await over(console, theirs)


@pytest.mark.covers("I2", "A7")
async def test_a_phone_in_the_hand_shows_all_three_answers_whole(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0, forwarding_number=scene.outside(900).number)
    console = await open_console(rep)
    await console.page.set_viewport_size({"width": 360, "height": 740})
    theirs = await ringing(console, rep, scene)
    assert await console.page.evaluate(CUT) == []
    await theirs.cancel()


@pytest.mark.covers("I1", "S6")
async def test_of_several_with_the_number_one_is_chosen_and_the_call_is_filed_there(
    scene: Scene, open_console: Open
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    shared = ("work", customer.number)
    await known_person(scene, f"Ines F{customer.number[-4:]}", shared)
    other = await known_person(scene, f"Jonas F{customer.number[-4:]}", shared)
    console = await open_console(rep)
    theirs = await customer.call(rep.did)
    await expect(console.card).to_contain_text("Several people have this number.")
    choice = console.card.get_by_role("button", name=re.compile("^Jonas"))
    await choice.click()
    await expect(choice).to_have_attribute("aria-pressed", "true")
    await expect(console.card.get_by_role("heading", name=other.name)).to_be_visible()
    await theirs.cancel()
    assert (await scene.logged(rep)).row.record_id == other.id


@pytest.mark.covers("I1")
async def test_an_unknown_caller_is_made_a_lead_by_one_click(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0)
    console = await open_console(rep)
    theirs = await ringing(console, rep, scene)
    await expect(console.card).to_contain_text("Unknown caller")
    await console.press("Make a lead", console.card)
    await expect(console.toast("The lead was made.")).to_be_visible()
    await expect(console.card.get_by_role("heading").get_by_role("link")).to_be_visible()
    await theirs.cancel()
    await expect(console.card).to_have_count(0)


@pytest.mark.covers("I8")
async def test_a_caller_who_gives_up_takes_the_card_away_and_stands_as_missed_on_the_home_page(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0)
    console = await open_console(rep)
    theirs = await ringing(console, rep, scene)
    await theirs.cancel()
    await expect(console.card).to_have_count(0)
    assert (await scene.logged(rep)).row.disposition == "missed"
    await expect(console.page.get_by_role("button", name=re.compile("^Call back"))).to_be_visible()


@pytest.mark.covers("I2", "I3")
async def test_forward_sends_the_caller_to_the_mobile_whose_person_accepts(scene: Scene, open_console: Open) -> None:
    mobile = scene.outside(900)
    rep = await scene.rep(phones=0, forwarding_number=mobile.number)
    console = await open_console(rep)
    theirs = await ringing(console, rep, scene)
    await expect(console.card).to_contain_text(re.compile(r"To your forwarding phone in \d s"))
    await console.key("Alt+F")
    ring = await mobile.incoming()
    await expect(console.card).to_have_count(0)
    await ring.answer()
    await ring.until_hears(PROMPTS["accept-forward"])
    await ring.press("5")
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(900), ring.until_hears(THEIRS))
    await theirs.hang_up()
    await ring.until_ended()


@pytest.mark.covers("I2", "I6", "I7")
async def test_ignore_sends_the_caller_to_voicemail_and_the_message_is_played_in_the_page(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    console = await open_console(rep)
    theirs = await ringing(console, rep, scene, tone=None)
    await asyncio.gather(console.press("Ignore", console.card), theirs.until_hears(PROMPTS["unavailable"]))
    await theirs.until_hears(PROMPTS["beep"])
    await expect(console.card).to_have_count(0)
    theirs.say(940)
    await theirs.listen(1.5)
    await theirs.hang_up()
    news = console.page.get_by_role("navigation", name="Main").get_by_label("1 new message")
    await expect(news).to_be_visible()
    await console.page.get_by_role("link", name=re.compile("^Voicemail")).click()
    await console.page.get_by_role("button", name=re.compile("^Play the message from")).click()
    await console.until_hears(940)
    await expect(news).to_have_count(0)


async def test_the_first_ring_sounds_in_a_browser_that_silences_pages_until_a_click(
    scene: Scene, consoles: Consoles
) -> None:
    """Trap 9: the one click is Start shift."""
    rep = await scene.rep(phones=0)
    async with async_playwright() as playwright, await launch(playwright, silencing=True) as strict:
        console = await consoles.open(rep, browser=strict)
        theirs = await ringing(console, rep, scene)

        async def rings() -> bool:
            samples, rate, state = await console.made()
            return state == "running" and all(has_tone(samples, hz, rate) for hz in RING_HZ)

        await console.until(rings, 4, "the ring")
        await theirs.cancel()
        await console.until(lambda: silent(console), 3, "the ring to end")
        await consoles.close()


async def silent(console: Console) -> bool:
    samples, _, _ = await console.made()
    return bool(np.max(np.abs(samples)) < 0.001)
