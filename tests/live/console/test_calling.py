"""Calls out of the console, by keyboard and by mouse, and what both sides hear (V1 to V14)."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.live.console.page import VOICE, Console, Open, known_person
from tests.live.stage import Outside, Scene
from tests.support.sip_call import Call
from tests.support.tones import tones_in

THEIRS = 820


async def hear_each_other(console: Console, theirs: Call, voice: float = VOICE, tone: float = THEIRS) -> None:
    await asyncio.gather(console.until_hears(tone), theirs.until_hears(voice))


async def talk(console: Console, customer: Outside) -> Call:
    """Dialled by number, answered and heard."""
    await console.dial(customer.number)
    theirs = await customer.incoming()
    await theirs.answer()
    await console.until_talking()
    await hear_each_other(console, theirs, tone=customer.tone)
    return theirs


async def over(console: Console, theirs: Call) -> None:
    await console.press("End")
    await theirs.until_ended()
    await console.until_free()


@pytest.mark.covers("V1", "V2", "V3", "V4", "V6", "V7", "V10", "V13")
async def test_slash_a_part_of_the_name_and_enter_call_and_the_bar_says_who_it_is(
    scene: Scene, open_console: Open
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    name = f"Margarete Q{customer.number[-4:]}"
    numbers = [("work", customer.number), ("mobile", "+12065559998")]
    await known_person(scene, name, *numbers, company="Ostwind Logistik", deal="Twelve containers")
    console = await open_console(rep)
    await console.key("/")
    await console.page.keyboard.type(name[6:])
    options = console.dialog.get_by_role("option", name=re.compile(name))
    await expect(options).to_have_count(2)
    await expect(options.nth(0)).to_contain_text("Work")
    await expect(options.nth(1)).to_contain_text("Mobile")
    await expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    await console.key("Enter")
    theirs = await customer.incoming()
    assert theirs.caller_number == rep.did
    await expect(console.bar).to_contain_text("Ringing…")
    await theirs.answer()
    await console.until_talking()
    await hear_each_other(console, theirs)
    await expect(console.bar.get_by_role("link", name=name)).to_be_visible()
    await expect(console.bar.get_by_role("link", name="Twelve containers")).to_be_visible()
    line = re.compile("(Good|Fair|Poor) line")
    for shown in ("Ostwind Logistik", re.compile(r"Call\s*0:0\d"), "Recording", line):
        await expect(console.bar).to_contain_text(shown)
    await console.page.get_by_role("link", name="People", exact=True).click()
    await expect(console.page.get_by_role("heading", name="People", exact=True)).to_be_visible()
    await expect(console.bar.get_by_role("link", name=name)).to_be_visible()
    await over(console, theirs)
    logged = await scene.logged(rep)
    _, sound = await scene.stack.recorded(logged.row.id)
    assert tones_in(sound.channel(0), [THEIRS, VOICE], sound.rate) == {THEIRS}
    assert tones_in(sound.channel(1), [THEIRS, VOICE], sound.rate) == {VOICE}


@pytest.mark.covers("V8")
async def test_keys_reach_the_far_side_by_click_and_by_keyboard(scene: Scene, open_console: Open) -> None:
    console = await open_console(await scene.rep(phones=0))
    theirs = await talk(console, scene.outside(THEIRS))
    await console.press("Keypad")
    await console.press("Key 4", console.bar.get_by_role("group", name="Keypad"))
    await console.page.keyboard.type("2#")
    await theirs.until_digits("42#")
    await expect(console.bar.get_by_role("status", name="Keys sent")).to_have_text("42#")
    await over(console, theirs)


@pytest.mark.covers("V9")
async def test_mute_silences_the_page_and_says_so_until_it_is_taken_back(scene: Scene, open_console: Open) -> None:
    console = await open_console(await scene.rep(phones=0))
    theirs = await talk(console, scene.outside(THEIRS))
    await console.key("Alt+M")
    await theirs.until_stops_hearing(VOICE)
    await console.until_hears(THEIRS)
    await expect(console.bar.get_by_role("button", name="Muted", pressed=True)).to_be_visible()
    await expect(console.bar).to_contain_text("Nobody hears you")
    await console.press("Muted")
    await theirs.until_hears(VOICE)
    await expect(console.bar.get_by_role("button", name="Mute", pressed=False)).to_be_visible()
    await over(console, theirs)


@pytest.mark.covers("V7")
async def test_the_keys_are_shown_from_anywhere_and_what_is_heard_is_as_loud_as_one_says(
    scene: Scene, open_console: Open
) -> None:
    console = await open_console(await scene.rep(phones=0))
    theirs = await talk(console, scene.outside(THEIRS))
    await console.page.get_by_role("main").focus()
    await console.key("?")
    overview = console.page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(overview.get_by_role("row", name=re.compile("^Alt\\+M"))).to_be_visible()
    await console.key("Escape")
    await console.press("More")
    voice = console.page.get_by_label("Voice", exact=True)
    await voice.fill("0")
    await console.until_silence()
    await voice.fill("60")
    await console.until_hears(THEIRS)
    await console.key("Escape")
    await over(console, theirs)


@pytest.mark.covers("V10")
async def test_the_recording_is_paused_and_what_was_recorded_is_erased_after_one_question(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0)
    console = await open_console(rep)
    theirs = await talk(console, scene.outside(THEIRS))
    await console.press("Recording: Recording")
    await console.press("Pause recording")
    await expect(console.bar).to_contain_text("Recording paused")
    await console.press("Erase recording…")
    asked = console.page.get_by_role("dialog", name="Erase what was recorded so far?")
    await console.press("Erase", asked)
    await expect(console.toast("What was recorded so far is destroyed.")).to_be_visible()
    await over(console, theirs)
    assert "recording.erased" in (await scene.logged(rep)).kinds


@pytest.mark.covers("V5", "V7")
async def test_a_number_on_a_contacts_page_is_called_by_a_click(scene: Scene, open_console: Open) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    record = await known_person(scene, f"Clara {rep.did[-4:]}", ("mobile", customer.number))
    console = await open_console(rep)
    await console.go(f"/people/{record.id}")
    await console.until_phone("Click for sound")  # a page that was loaded anew may sound after a click: this one
    await console.page.get_by_role("button", name=re.compile("^Call .*Mobile")).first.click()
    theirs = await customer.incoming()
    assert theirs.caller_number == rep.did
    await theirs.answer()
    await hear_each_other(console, theirs)
    await expect(console.bar.get_by_role("link", name=record.name)).to_have_attribute("href", f"/people/{record.id}")
    await over(console, theirs)


@pytest.mark.covers("V4")
async def test_who_types_on_dials_the_number_that_is_shown_not_the_one_that_was(
    scene: Scene, open_console: Open
) -> None:
    """Trap 10: Enter directly after the last key, before the search has answered."""
    console = await open_console(await scene.rep(phones=0))
    first, second = scene.outside(THEIRS), scene.outside(THEIRS)
    await over(console, await talk(console, first))
    await console.key("/")
    await expect(console.dialog.get_by_role("option").first).to_contain_text(first.number[-4:])
    await console.page.keyboard.type(second.number)
    await console.key("Enter")
    theirs = await second.incoming()
    await expect(console.bar).to_contain_text(second.number[-4:])
    await over(console, theirs)
    assert len(first.calls) == 1


@pytest.mark.covers("V14")
async def test_a_refused_microphone_says_what_to_do_and_the_next_try_works(scene: Scene, open_console: Open) -> None:
    console = await open_console(await scene.rep(phones=0), shift=False)
    await console.refuse_microphone()
    await console.page.get_by_role("button", name="Start shift").click()
    await console.until_phone("No microphone")
    await console.chip.click()
    steps = console.page.get_by_role("list").filter(has_text="left end of the address bar")
    await expect(steps.get_by_role("listitem")).to_have_count(3)
    await console.refuse_microphone("")
    await console.page.get_by_role("button", name="Try again").click()
    await console.until_phone("Ready")
    await console.key("Escape")
    await over(console, await talk(console, scene.outside(THEIRS)))
