"""No screen is wider than a phone in the hand: 360 px, with names that are longer than it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from crm.services import call_lists, list_entries
from tests.live.console.conftest import CONSOLE
from tests.live.console.page import known_person
from tests.live.console.test_admin import Visitor, admin, contexts
from tests.live.stage import Scene

__all__ = ["admin", "contexts"]
PATHS = re.findall(r"(?:path: |room\()'(/[^']*)'", (CONSOLE / "src/screens/routes.ts").read_text())
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenversicherung 株式会社東日本電気通信設備工事管理機構"
WIDER = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return '';
  const beyond = (each) => each.getBoundingClientRect().right > clientWidth;
  const out = [...document.querySelectorAll("main *")].filter(beyond);
  return `${scrollWidth} px: ${out.slice(-3).map((each) => each.outerHTML.slice(0, 120)).join(' … ')}`;
}"""


@pytest.mark.covers("A7")
async def test_no_screen_scrolls_sideways_at_360_px(admin: Visitor, scene: Scene) -> None:
    """Every address of routes.ts: a new screen is walked through without being named here."""
    assert len(PATHS) > 30
    rep = await scene.rep()
    person = await known_person(scene, LONG, ("work", "+12065559993"), company=LONG, deal=LONG, note=LONG * 3)
    theirs = await scene.outside().call(rep.did)
    call_id = await scene.live_call(rep)
    await theirs.cancel()

    async def fill(work: Any) -> Any:
        made = await call_lists.add(work, {"name": LONG, "shared": True})
        await list_entries.select(work, made.id, [person.id])
        return made

    made = await scene.stack.change(fill)
    await admin.page.set_viewport_size({"width": 360, "height": 740})
    params = {":record": person.id, ":call": call_id, ":list": made.id}
    wide: list[str] = []
    for path in PATHS:
        address = re.sub(r":\w+", lambda match: params.get(match[0], "none"), path)
        await admin.page.goto(admin.base + address)
        await expect(admin.page.locator("main h1, main h2, main [role=alert], main p").first).to_be_visible()
        await admin.page.wait_for_load_state("networkidle")
        if found := await admin.page.evaluate(WIDER):
            wide.append(f"{address} {found}")
    assert not wide, "\n".join(wide)
