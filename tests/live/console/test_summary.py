"""After a call: the summary that opens by itself, and the recording that is heard in the page (S1 to S7)."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from crm.services import outcomes, scripts, summaries, tasks
from tests.live.console.page import VOICE, Console, Open, known_person
from tests.live.console.test_calling import THEIRS, over, talk
from tests.live.stage import Scene, Stack


@pytest.fixture(scope="session")
async def outcome(stack: Stack) -> str:
    """One that the key 3 chooses."""
    await stack.change(lambda work: outcomes.add(work, {"name": "Meeting booked", "colour": "#16a34a", "key": 3}))
    return "Meeting booked"


def heading(console: Console, of: str) -> Locator:
    return console.page.get_by_role("heading", name=re.compile(f"^Summary: .*{of}"), level=1)


@pytest.mark.covers("S1", "S2", "S3", "S4", "S5", "S6", "V11")
async def test_the_summary_opens_survives_a_reload_and_is_saved_with_outcome_topic_and_task(
    scene: Scene, open_console: Open, outcome: str
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    name = f"Sandra M{customer.number[-4:]}"
    record = await known_person(scene, name, ("work", customer.number), deal="Harbour project")
    console = await open_console(rep)
    theirs = await talk(console, customer)
    call_id = await scene.live_call(rep)
    await console.press("Script and notes")
    drawer = console.page.get_by_role("complementary", name="Script and notes")
    await drawer.get_by_role("textbox", name="Notes").fill("Said in the call.")
    await expect(drawer).to_contain_text("Saved")
    await over(console, theirs)
    await expect(heading(console, name)).to_be_focused()
    await console.key("3")
    await expect(console.page.get_by_role("button", name=outcome, pressed=True)).to_be_visible()
    notes = console.page.get_by_role("textbox", name="Notes")
    await expect(notes).to_have_value("Said in the call.")
    await notes.fill("Said in the call. And after it.")
    await expect(console.page.get_by_role("main")).to_contain_text("Saved")
    await console.page.reload()
    await expect(notes).to_have_value("Said in the call. And after it.")
    await expect(console.page.get_by_role("button", name=outcome, pressed=True)).to_be_visible()
    topic = console.page.get_by_role("combobox", name="Topic").locator("option:checked")
    await expect(topic).to_have_text("Harbour project (Offer)")  # as the bar had it
    await console.page.get_by_role("textbox", name="Task").fill("Send the offer")
    await console.page.get_by_role("radio", name="In 1 hour").check()
    await console.key("Control+Enter")
    await expect(console.toast("Saved.")).to_be_visible()
    async with scene.stack.engine.store.read() as session:
        saved = await summaries.show(session, call_id, rep.id)
        todo = await tasks.page(session, user_id=rep.id)
    assert (saved.state, saved.record_id, saved.outcome.name) == ("saved", record.id, outcome)
    assert saved.deal_id and [task.title for task in todo.items] == ["Send the offer"]
    await console.go(f"/people/{record.id}?tab=notes")
    await expect(console.page.get_by_role("tabpanel", name="Notes")).to_contain_text("And after it.")


@pytest.mark.covers("S2")
async def test_a_digit_that_is_pressed_before_the_outcomes_are_there_counts(
    scene: Scene, open_console: Open, outcome: str
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    console = await open_console(rep)
    theirs = await talk(console, customer)
    there = asyncio.Event()

    async def late(route: Route) -> None:
        await there.wait()
        await route.continue_()

    await console.page.route("**/api/v1/outcomes", late)
    await over(console, theirs)
    await expect(console.page.get_by_role("heading", name=re.compile("^Summary"))).to_be_focused()
    await console.key("3")
    there.set()
    await expect(console.page.get_by_role("button", name=outcome, pressed=True)).to_be_visible()


async def the_only_script(work: Any, values: dict[str, str]) -> Any:
    """A call shows the first that fits, and the admins of other tests have left theirs."""
    for other in await scripts.list_all(work.session):
        await scripts.remove(work, other.id)
    return await scripts.add(work, values)


@pytest.mark.covers("V11")
async def test_the_script_for_a_call_is_shown_beside_it_with_the_persons_name(scene: Scene, open_console: Open) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    script = {"name": f"Opening {rep.did[-4:]}", "body": "# Greeting\nGood day, {{contact.name}}!"}
    made = await scene.stack.change(lambda work: the_only_script(work, script))
    await known_person(scene, f"Rosa {rep.did[-4:]}", ("work", customer.number))
    console = await open_console(rep)
    theirs = await talk(console, customer)
    await console.press("Script and notes")
    shown = console.page.get_by_role("region", name=f"Script: {made.name}")
    await expect(shown.get_by_role("heading", name="Greeting")).to_be_visible()
    await expect(shown).to_contain_text(f"Good day, Rosa {rep.did[-4:]}!")
    await over(console, theirs)
    await scene.stack.change(lambda work: scripts.remove(work, made.id))


ADD_TASK = """async (task) => {
    const csrf = (await (await fetch('/api/v1/session')).json()).csrf;
    const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf };
    return (await fetch('/api/v1/tasks', { method: 'POST', headers, body: JSON.stringify(task) })).status;
}"""


@pytest.mark.covers("S5")
async def test_a_task_whose_moment_has_come_is_shown_on_any_page(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0)
    console = await open_console(rep, shift=False)
    await console.page.get_by_role("link", name="Deals", exact=True).click()
    soon_us = time.time_ns() // 1000 + 300_000
    made = await console.page.evaluate(ADD_TASK, {"title": "Send the offer", "due_us": soon_us, "remind_us": soon_us})
    assert made == 201
    await expect(console.toast("Reminder: Send the offer")).to_be_visible()


@pytest.mark.covers("S7")
@pytest.mark.parametrize("where", ["of the call", "of the person"])
async def test_the_recording_of_a_call_is_heard_on_the_page(scene: Scene, open_console: Open, where: str) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    record = await known_person(scene, f"Vera {rep.did[-4:]}", ("work", customer.number))
    console = await open_console(rep)
    theirs = await talk(console, customer)
    call_id = await scene.live_call(rep)
    await theirs.listen(1.5)
    await over(console, theirs)
    await scene.stack.recorded(call_id)
    if where == "of the call":
        await console.go(f"/calls/{call_id}")
    else:
        await console.go(f"/people/{record.id}?tab=calls")
        await console.press("Show details", console.page.get_by_role("tabpanel", name="Calls"))
    player = console.page.get_by_role("group", name=re.compile("^Recording of the call with "))
    await console.press("Play", player)
    for tone in (THEIRS, VOICE):
        await console.until_hears(tone)
    await expect(player.get_by_role("slider", name="Position")).to_be_visible()
    await console.press("Speed: 1×", player)
    await expect(player.get_by_role("button", name="Speed: 1.25×")).to_be_visible()


OVER = """(button) => {
  const picture = document.querySelector('.drawn');
  const middle = (each) => (({ left, top, width, height }) => [left + width / 2, top + height / 2])(
    each.getBoundingClientRect());
  scrollBy({ top: middle(picture)[1] - middle(button)[1], behavior: 'instant' });
  const [x, y] = middle(button);
  return button.contains(document.elementFromPoint(x, y)) && Math.abs(y - middle(picture)[1]) < 40;
}"""


@pytest.mark.covers("S6", "S7")
async def test_the_picture_of_a_recording_lies_under_what_saves_the_summary(scene: Scene, open_console: Open) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    console = await open_console(rep)
    theirs = await talk(console, customer)
    call_id = await scene.live_call(rep)
    await theirs.listen(1)
    await over(console, theirs)
    await scene.stack.recorded(call_id)
    await expect(heading(console, customer.number[-4:])).to_be_visible()
    await console.page.set_viewport_size({"width": 360, "height": 640})
    picture = console.page.locator(".drawn")
    save = console.page.get_by_role("button", name="Save", exact=True)
    await console.page.add_style_tag(content="main { padding-block-end: 40rem }")  # room to scroll it there
    await expect(picture).to_be_visible()
    await console.page.wait_for_function(OVER, arg=await save.element_handle())  # what comes later may move it
