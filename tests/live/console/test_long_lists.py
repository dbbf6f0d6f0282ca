"""Lists longer than a page of the engine: they stay where they are scrolled to, and keep their elements (A7)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from crm.services import people
from tests.live.console.page import Open
from tests.live.stage import Scene

PAGE, PEOPLE = 100, 320
ROWS = """() => {
  const rows = [...document.querySelectorAll('li[aria-posinset]')];
  const shown = rows.filter((row) => !row.hidden).map((row) => Number(row.getAttribute('aria-posinset')));
  return {
    known: Number(rows[0].getAttribute('aria-setsize')),
    shown,
    kept: rows.filter((row) => row.marked).length,
  };
}"""
MARK = "document.querySelectorAll('li[aria-posinset]').forEach((row) => { row.marked = true; })"
FAR = "scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })"


@pytest.mark.covers("A7")
async def test_a_list_stays_where_it_is_scrolled_to_and_keeps_its_rows(scene: Scene, open_console: Open) -> None:
    async def fill(work: Any) -> None:
        for number in range(PEOPLE):
            await people.add(work, "lead", {"name": f"Person of many {number}"})

    await scene.stack.change(fill)
    console = await open_console(await scene.rep(phones=0), shift=False)
    await console.go("/people?kind=lead")
    await expect(console.page.get_by_role("listitem").nth(10)).to_be_visible()
    await console.page.evaluate(MARK)
    before = await console.page.evaluate(ROWS)
    assert before["known"] == PAGE
    await console.page.evaluate(FAR)
    await console.page.wait_for_timeout(1_500)  # nothing more may come of it
    after = await console.page.evaluate(ROWS)
    assert after["known"] == 2 * PAGE, "it has read what comes next, and no more"
    assert after["kept"] == before["kept"] == len(before["shown"]), "rows that are waited for cost no elements"
    assert PAGE in after["shown"] and after["shown"] == sorted(after["shown"])
