"""The log in Chromium: filters that are kept, and what is done with many calls at once (R1, R4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from crm.models.calls import Recording
from crm.models.people import Deal
from crm.services import summaries
from pbx.web.sockets import SOCKETS
from tests.live.console.page import Console, Open, known_person
from tests.live.console.test_accessible import violations
from tests.live.console.test_reports import made
from tests.live.stage import Rep, Scene
from tests.support.waiting import Deadline

AT_US = int(datetime(2025, 4, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000


async def some_calls(scene: Scene, rep: Rep) -> str:
    """Two that went out, one of them recorded, with somebody who has a deal, whose id it is; one that came in."""
    person = await known_person(scene, f"Logan {rep.did[-4:]}", ("work", "+12065559881"), deal="Steps")
    calls = [made(f"c_{rep.id}_{number}", rep, AT_US + number, 60) for number in range(3)]
    calls[2].direction = "inbound"
    recorded, folder = calls[0], scene.stack.engine.recordings_dir
    folder.mkdir(exist_ok=True)
    (folder / f"{rep.id}.opus").write_bytes(b"sound")

    async def add(work: Any) -> str:
        for call in calls:
            call.record_type, call.record_id = "person", person.id
        sound = {"state": "ready", "path": f"{rep.id}.opus", "bytes": 5, "started_us": AT_US, "user_id": rep.id}
        work.session.add_all([*calls, Recording(id=f"rec_{rep.id}_1", call_id=recorded.id, **sound)])
        return str(await work.session.scalar(select(Deal.id).where(Deal.record_id == person.id)))

    return str(await scene.stack.change(add))


async def set_topics(console: Console, rep: Rep, deal: str, scene: Scene, count: int) -> None:
    page = console.page
    await page.get_by_role("button", name="Set topic").click()
    dialog = page.get_by_role("dialog", name="Set topic")
    await expect(dialog.get_by_label("Deal")).to_have_value(deal)
    await dialog.get_by_role("button", name="Set topic").click()
    await expect(console.toast(f"The topic of {count} calls is set.")).to_be_visible()
    async with scene.stack.engine.store.read() as session:
        kept = (await summaries.page(session, rep.id)).items
    assert [each.deal_id for each in kept] == [deal] * count


@pytest.mark.covers("R1", "R4", "V10", "S4")
async def test_a_filter_is_kept_and_all_that_it_finds_get_a_topic_and_lose_their_recordings(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0)
    deal = await some_calls(scene, rep)
    console = await open_console(rep, shift=False)
    page, main = console.page, console.page.locator("main")
    await console.go("/calls?direction=outbound")
    await main.get_by_role("button", name="Saved filters").click()
    await page.get_by_role("button", name="Save this filter").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Gone out")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(main.get_by_role("button", name="Gone out")).to_be_visible()
    await console.go("/calls")
    rows = main.get_by_role("list", name="Calls", exact=True).get_by_role("listitem")
    await expect(rows).to_have_count(3)
    await main.get_by_role("button", name="Saved filters").click()
    await page.get_by_role("link", name="Gone out").click()
    await expect(page).to_have_url(re.compile(r"/calls\?direction=outbound$"))
    await expect(rows).to_have_count(2)

    await main.get_by_label("Select all that are shown").check()
    bar = main.get_by_role("region", name="2 calls selected")
    await expect(bar).to_be_visible()
    found = await violations(console, "the log with calls selected")
    await set_topics(console, rep, deal, scene, 2)
    await main.get_by_label("Select all that are shown").check()
    await bar.get_by_role("button", name="Delete recordings").click()
    asked = page.get_by_role("dialog", name="Delete 1 recording?")
    await asked.get_by_role("button", name="Delete recordings").click()
    await expect(console.toast("1 recording deleted.")).to_be_visible()
    deadline = Deadline(10)
    while (scene.stack.engine.recordings_dir / f"{rep.id}.opus").exists():
        assert not deadline.over, "the sound is gone for real"
    assert not found, "\n".join(found)
    assert not console.unexpected


@pytest.mark.covers("R1", "V10")
async def test_what_an_engine_did_before_it_began_anew_is_shown_without_a_click(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0)
    await some_calls(scene, rep)
    console = await open_console(rep, shift=False)
    await console.go("/calls")
    rows = console.page.locator("main").get_by_role("list", name="Calls", exact=True).get_by_role("listitem")
    await expect(rows).to_have_count(3)

    async def nobody_is_told(work: Any) -> None:
        work.session.add(made(f"c_{rep.id}_9", rep, AT_US + 9, 60))

    await scene.stack.change(nobody_is_told)
    scene.stack.engine.hub.epoch += "-anew"
    for socket in streams(scene):
        socket._req.transport.abort()
    await expect(rows).to_have_count(4)
    assert not console.unexpected


def streams(scene: Scene) -> list[Any]:
    runner = scene.stack.engine.web._runner
    assert runner is not None
    return [socket for socket in runner.app[SOCKETS] if socket._req.path.endswith("/events")]
