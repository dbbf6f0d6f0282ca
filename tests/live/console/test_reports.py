"""Reports in Chromium: the same figures as totals, drawn, and as a table, and from there to their calls (R3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from crm.models.calls import Call
from crm.services import sums
from tests.live.console.page import Open
from tests.live.console.test_accessible import violations
from tests.live.console.test_admin import Visitor, admin, contexts
from tests.live.stage import Rep, Scene

__all__ = ["admin", "contexts"]
DAYS = "range=own&from=2025-03-03&to=2025-03-09"
BEFORE, MONDAY, TUESDAY = (datetime(2025, *day, 12, tzinfo=UTC) for day in ((2, 25), (3, 3), (3, 4)))


async def calls(scene: Scene, rep: Rep, day: datetime, *talks: int | None) -> None:
    """Calls of that day, with the seconds that were talked; None: nobody answered."""
    at_us = int(day.timestamp()) * 1_000_000

    async def add(work: Any) -> None:
        for number, talk in enumerate(talks):
            work.session.add(made(f"call_{rep.id}_{day:%d}_{number}", rep, at_us + number, talk))

    await scene.stack.change(add)


def made(call_id: str, rep: Rep, at_us: int, talk: int | None) -> Call:
    return Call(
        id=call_id,
        direction="outbound",
        state="ended",
        source="engine",
        user_id=rep.id,
        customer_number="+12065550123",
        created_us=at_us,
        answered_us=None if talk is None else at_us,
        ended_us=at_us + 1,
        disposition="no_answer" if talk is None else "answered",
        ring_ms=10_000,
        talk_ms=None if talk is None else talk * 1000,
        summarised_us=at_us,
    )


@pytest.mark.covers("R3", "A7")
async def test_a_rep_reads_their_figures_compares_them_and_opens_the_calls_behind_a_day(
    scene: Scene, open_console: Open
) -> None:
    rep = await scene.rep(phones=0)
    await calls(scene, rep, BEFORE, 60, None)
    await calls(scene, rep, MONDAY, 60, 120, None)
    await calls(scene, rep, TUESDAY, 30)
    await sums.catch_up(scene.stack.engine.store)
    console = await open_console(rep, shift=False)
    page, main = console.page, console.page.locator("main")
    await console.go(f"/reports?{DAYS}")
    await expect(main.get_by_text("You see your own figures.")).to_be_visible()
    await expect(main.locator("dl > div").filter(has_text="Calls")).to_have_text(re.compile(r"4\s*\+100% more"))
    await expect(main.locator("dl > div").filter(has_text="Answer rate")).to_contain_text("+25 points more")
    row = main.get_by_role("row", name=re.compile("^Mon, Mar 3, 2025"))
    await expect(row.get_by_role("cell")).to_have_text(
        ["3", "0", "None before", "2", "0", "67%", "0:03:00", "0:01:30", "0:00:30"]
    )
    values = main.get_by_role("list", name="Calls by day").get_by_role("link")
    await values.first.focus()
    await page.keyboard.press("ArrowRight")
    await expect(values.nth(1)).to_be_focused()
    await expect(values.nth(1)).to_have_accessible_name(re.compile("^Tue, Mar 4, 2025: Answered 1"))
    await main.get_by_role("button", name="Answer rate").click()
    await expect(page).to_have_url(re.compile("sort=-rate"))
    await expect(main.get_by_role("row").nth(1)).to_contain_text("Tue, Mar 4, 2025")
    found = await violations(console, "reports")
    await page.keyboard.press("Escape")
    await row.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"/calls\?zone=UTC&from=2025-03-03&to=2025-03-03$"))
    await expect(main.get_by_role("list", name="Calls", exact=True).get_by_role("listitem")).to_have_count(3)
    assert not found, "\n".join(found)


@pytest.mark.covers("R3")
async def test_an_admin_groups_by_user_and_by_hour_shares_the_address_and_takes_the_file_along(
    admin: Visitor, scene: Scene
) -> None:
    rep = await scene.rep(phones=0, name="Reported Rita")
    await calls(scene, rep, TUESDAY, 600, None)
    await sums.catch_up(scene.stack.engine.store)
    page, main = admin.page, admin.page.locator("main")
    await admin.open(f"/reports?{DAYS}&user={rep.id}")
    await main.get_by_label("By", exact=True).select_option(label="User")
    await main.get_by_label("Show").select_option(label="Talk time")
    bars = main.get_by_role("list", name="Talk time by user")
    await expect(bars.get_by_role("listitem")).to_have_text(re.compile(r"Reported Rita\s*10 min 00 s"))
    await page.reload()
    await expect(bars.get_by_role("listitem")).to_have_count(1)
    cell = main.get_by_role("table", name="Talk time by weekday and hour").get_by_title(re.compile("^Tue.*, 12:00"))
    await expect(cell).to_have_text("10")
    async with page.expect_download() as coming:
        await main.get_by_role("link", name="Download CSV").click()
    file = await (await coming.value).path()
    assert f"{rep.id},Reported Rita,2,1,0,600,20" in file.read_text()
    await main.get_by_role("switch", name="Compare with the time before").click()
    await expect(page).to_have_url(re.compile("compare=no"))
    await expect(main.get_by_role("columnheader", name="Change")).to_have_count(0)
    await main.get_by_role("tab", name="Deals").click()
    await expect(main.get_by_role("row", name=re.compile("^Reported Rita"))).to_contain_text("0:10:00")
    for tab, empty in (("Texts", "No texts in"), ("Call lists", "No calls from call lists in")):
        await main.get_by_role("tab", name=tab).click()
        await expect(main.get_by_role("heading", name=empty)).to_be_visible()
