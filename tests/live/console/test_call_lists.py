"""A call list in the console: start, look, call, write down, next; paused, reloaded, stopped (L1, L2, L5, V12)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from crm.call_lists import Judged
from crm.services import call_lists, list_entries
from pbx.services.calling_hours import LawfulHours
from tests.live.console.page import Console, Open, known_person
from tests.live.console.test_calling import THEIRS
from tests.live.stage import Rep, Scene


@pytest.fixture(autouse=True)
def _at_any_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here is not the law, and tests run at night, too."""
    monkeypatch.setattr(LawfulHours, "look", lambda self, place, at_us: Judged(True))


async def a_list(scene: Scene, rep: Rep, record_ids: list[str]) -> Any:
    async def make(work: Any) -> Any:
        values = {"name": f"Spring {rep.did[-4:]}", "owner_id": rep.id, "preview_s": 0, "wrap_up": "required"}
        made = await call_lists.add(work, values)
        await list_entries.select(work, made.id, record_ids)
        return made

    return await scene.stack.change(make)


def strip(console: Console) -> Any:
    return console.page.get_by_role("region", name="Call list")


@pytest.mark.covers("V12", "L2", "L5", "S6", "P4")
async def test_a_list_is_worked_through_in_the_bar_and_survives_a_reload(scene: Scene, open_console: Open) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    first = await known_person(scene, f"Ann M{customer.number[-4:]}", ("work", customer.number))
    second = await known_person(scene, f"Bob M{customer.number[-4:]}", ("work", scene.outside().number))
    made = await a_list(scene, rep, [first.id, second.id])
    console = await open_console(rep)
    await console.go("/lists")
    await console.page.get_by_role("button", name=f"Start: {made.name}").click()
    main = console.page.get_by_role("main")
    await expect(main.get_by_role("heading", name=first.name)).to_be_visible()
    await expect(strip(console)).to_contain_text(first.name)
    await strip(console).get_by_role("button", name="Call now").click()
    ring = await customer.incoming(8)
    await ring.answer()
    await console.until_talking()
    await expect(strip(console).get_by_role("button", name="Leave message")).to_be_visible()
    await ring.hang_up()
    await expect(strip(console)).to_contain_text("Save the summary to go on.")
    await expect(console.page.get_by_role("heading", name=re.compile("^Summary: "), level=1)).to_be_focused()
    await main.get_by_role("button", name="Save", exact=True).click()
    await expect(strip(console)).to_contain_text(second.name)
    await expect(main.get_by_role("heading", name=second.name)).to_be_visible()
    await strip(console).get_by_role("button", name="Pause").click()
    await expect(strip(console)).to_contain_text("Paused")
    await console.page.reload()
    await expect(strip(console)).to_contain_text(second.name)
    await expect(strip(console).get_by_role("button", name="Resume")).to_be_visible()
    await strip(console).get_by_role("button", name="Stop").click()
    await expect(strip(console)).to_have_count(0)
    await console.go(f"/lists/{made.id}?tab=progress")
    await expect(main).to_contain_text("Talked")


@pytest.mark.covers("L1", "N6")
async def test_people_are_selected_into_a_new_list(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0)
    number = scene.outside().number
    person = await known_person(scene, f"Selma Q{number[-4:]}", ("work", number))
    console = await open_console(rep)
    await console.go(f"/people?kind=contact&q={person.name.split()[1]}")
    await console.page.get_by_role("checkbox", name=person.name).check()
    await console.page.get_by_role("button", name="Add to call list").click()
    dialog = console.page.get_by_role("dialog", name="Add to a call list")
    await dialog.get_by_role("textbox", name="Name of the new list").fill(f"Picked {number[-4:]}")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(console.toast("1 added")).to_be_visible()
    await console.go("/lists")
    await console.page.get_by_role("link", name=f"Picked {number[-4:]}").click()
    await expect(console.page.get_by_role("main")).to_contain_text(person.name)


@pytest.mark.covers("L5")
async def test_whoever_made_a_list_says_after_what_people_are_called_again(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0)
    made = await a_list(scene, rep, [])
    console = await open_console(rep, shift=False)
    await console.go(f"/lists/{made.id}?tab=retry")
    rules = console.page.get_by_role("region", name="Calling again")
    await expect(rules.get_by_role("listitem")).to_have_count(7)
    busy = rules.get_by_role("listitem").nth(1)
    await busy.get_by_role("textbox", name="Wait").fill("2")
    await busy.get_by_role("combobox", name="Unit").select_option("days")
    await busy.get_by_role("textbox", name="Calls in all").fill("none")
    await rules.get_by_role("button", name="Save").click()
    await expect(rules.get_by_role("alert")).to_contain_text("as numbers above zero")
    await busy.get_by_role("textbox", name="Calls in all").fill("5")
    await rules.get_by_role("listitem").nth(0).get_by_role("button", name="Remove the rule").click()
    await rules.get_by_role("button", name="Save").click()
    await expect(rules.get_by_role("button", name="Save")).to_be_disabled()
    await console.page.reload()
    first = rules.get_by_role("listitem").first
    await expect(first.get_by_role("textbox", name="Wait")).to_have_value("2")
    await expect(first.get_by_role("combobox", name="Unit")).to_have_value("days")
    await expect(rules.get_by_role("listitem")).to_have_count(6)
