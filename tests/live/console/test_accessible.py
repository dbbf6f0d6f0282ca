"""axe-core finds nothing on the screens of a rep, light and dark; roles and names are what the other tests go by."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from crm.services import call_lists, list_entries
from tests.live.console.conftest import CONSOLE
from tests.live.console.page import Console, Open, known_person
from tests.live.console.test_admin import Visitor, admin, contexts
from tests.live.console.test_calling import talk
from tests.live.stage import Scene

__all__ = ["admin", "contexts"]
AXE = CONSOLE / "node_modules/axe-core/axe.min.js"
COUNTS = ("critical", "serious", "moderate")
RULES = {"light": None, "dark": ["color-contrast"]}  # all else is the same in both
FIND = """async (runOnly) => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...(runOnly && { runOnly }) });
  const where = (nodes) => nodes.map(({ html }) => html.slice(0, 160));
  return violations.map(({ id, impact, nodes }) => ({ id, impact, where: where(nodes) }));
}"""

pytestmark = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (make console)")


async def violations(console: Console | Visitor, what: str) -> list[str]:
    """In both appearances; colours do not fade from one to the other meanwhile."""
    found: list[str] = []
    if not await console.page.evaluate("'axe' in window"):
        await console.page.evaluate(AXE.read_text())
    for scheme, rules in RULES.items():
        await console.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        told: list[dict[str, Any]] = await console.page.evaluate(FIND, rules)
        found += [f"{what}, {scheme}: {each['id']} {each['where']}" for each in told if each["impact"] in COUNTS]
    return found


async def test_no_screen_of_a_day_has_a_barrier(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0, voicemail_enabled=True)
    record = await known_person(scene, f"Axel {rep.did[-4:]}", ("work", "+12065559991"), deal="Steps", note="A note.")
    console = await open_console(rep, shift=False)
    found = await violations(console, "home")
    screens = {
        "/people": "People",
        f"/people/{record.id}": "Axel",
        "/deals": "Deals",
        "/calls": "Calls",
        "/voicemail": "Voicemail",
    }
    for path, heading in screens.items():
        await console.go(path)
        await expect(console.page.get_by_role("heading", name=re.compile(heading)).first).to_be_visible()
        await console.page.wait_for_load_state("networkidle")
        found += await violations(console, path)
    await console.key("/")
    await console.page.keyboard.type("Axel")
    await expect(console.dialog.get_by_role("option").first).to_be_visible()
    found += await violations(console, "search")
    await console.page.context.clear_cookies()
    await console.go("/")
    await expect(console.page.get_by_role("button", name="Sign in")).to_be_visible()
    found += await violations(console, "sign in")
    assert not found, "\n".join(found)


async def test_no_room_of_texts_lists_money_and_law_has_a_barrier(admin: Visitor, scene: Scene) -> None:
    """An admin opens them all; one of each thing stands in them."""
    person = await known_person(scene, "Axelle Room", ("work", "+12065559992"))

    async def fill(work: Any) -> Any:
        made = await call_lists.add(work, {"name": "Axelle's list", "shared": True})
        await list_entries.select(work, made.id, [person.id])
        return made

    made = await scene.stack.change(fill)
    admin_rooms = ("law", "retention", "transports", "templates", "registration", "calling")
    rooms = ("/texts", "/lists", f"/lists/{made.id}", f"/lists/{made.id}?tab=progress", "/calls?direction=inbound")
    bills = ("/admin/billing", "/admin/billing?tab=account", "/admin/billing?tab=rates")
    found: list[str] = []
    for path in (*rooms, *bills, *(f"/admin/{room}" for room in admin_rooms)):
        await admin.open(path)
        await admin.page.wait_for_load_state("networkidle")
        found += await violations(admin, path)
    assert not found, "\n".join(found)


async def test_nothing_around_a_call_has_a_barrier(scene: Scene, open_console: Open) -> None:
    rep = await scene.rep(phones=0)
    console = await open_console(rep)
    theirs = await scene.outside().call(rep.did)
    await expect(console.card).to_be_visible()
    found = await violations(console, "incoming card")
    await theirs.cancel()
    theirs = await talk(console, scene.outside())
    call_id = await scene.live_call(rep)
    found += await violations(console, "call bar")
    for part, shown in (("Invite", console.panel), ("Keypad", console.bar.get_by_role("group", name="Keypad"))):
        await console.press(part)
        await expect(shown).to_be_visible()
        found += await violations(console, part)
    await theirs.hang_up()
    await console.until_free()
    await expect(console.page.get_by_role("heading", name=re.compile("^Summary"))).to_be_visible()
    found += await violations(console, "summary")
    await scene.stack.recorded(call_id)
    await console.go(f"/calls/{call_id}")
    await expect(console.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    found += await violations(console, "call")
    assert not found, "\n".join(found)
