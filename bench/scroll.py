"""Scrolling in Chromium: a list of a million people and a log of 50,000 calls, against the same pages with ten rows.

What makes a page stutter is the work that its one thread has between two pictures: long tasks (over 50 ms) and the
gaps between pictures are counted while a person scrolls by the wheel, jumps to the end and back, again and again. What
the list holds in memory is measured before and after some hundred pages were read.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from bench import search
from bench.figures import Figure, at_most, shown
from bench.load import median, percentile
from bench.stack import engine_alone
from crm import ids
from crm.migrations import migrate
from crm.models.calls import Call
from crm.repositories import bulk
from crm.services import people, users
from crm.unit_of_work import SYSTEM, Store
from tests.support.chromium import launch

CALLS, FEW = 50_000, 10
PASSWORD = "correct horse battery staple"
EMAIL = "bench@demo.example"
WHEEL_PX, TURNS, JUMPS = 240, 120, 40
TIMES_LONGER = 1.5
PAGES = ("/people?kind=lead", "/calls")
WATCH = """
window.seen = { gaps: [], long: [] };
new PerformanceObserver((list) => list.getEntries().forEach((each) => seen.long.push(each.duration)))
  .observe({ type: 'longtask' });
let last = 0;
const frame = (now) => { if (last) seen.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""


async def figures() -> list[Figure]:
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="switchhook-scroll-") as directory:
        few, many = Path(directory) / "few", Path(directory) / "many"
        async with search.sqlite_url() as url:
            many.mkdir()
            shutil.copy(url.partition(":///")[2], many / "store.db")
        few.mkdir()
        for home in (few, many):
            await _fill(home)
        async with _page(few) as page:
            small = {path: await _scrolled(page, path) for path in PAGES}
        async with _page(many) as page:
            for path in PAGES:
                found += _compared(path, small[path], await _scrolled(page, path))
            found += await _in_memory(page)
    return found


async def _fill(home: Path) -> None:
    url = f"sqlite:///{home / 'store.db'}"
    await migrate(url)
    store = Store(url)
    async with store.write(SYSTEM) as work:
        user = await users.add(work, {"email": EMAIL, "name": "Bench", "role": "admin", "password": PASSWORD})
    rows = [_call(user.id, at) for at in range(FEW if home.name == "few" else CALLS)]
    for at in range(0, len(rows), 5_000):
        async with store.write(SYSTEM) as work:
            await bulk.add(work.session, Call, rows[at : at + 5_000])
    if home.name == "few":
        for number in range(FEW):
            async with store.write(SYSTEM) as work:
                await people.add(work, "lead", {"name": f"Person {number}"})
    await store.close()
    with closing(sqlite3.connect(home / "store.db")) as connection:
        connection.execute("ANALYZE")


def _call(user_id: str, at: int) -> dict[str, Any]:
    began_us = ids.now_us() - (at + 1) * 60_000_000
    return dict.fromkeys(Call.__table__.columns.keys()) | {
        "id": f"c_{ids.ulid(began_us)}",
        "direction": "inbound",
        "state": "ended",
        "source": "engine",
        "user_id": user_id,
        "customer_number": f"+1206555{at % 10_000:04}",
        "created_us": began_us,
        "answered_us": began_us + 3_000_000,
        "ended_us": began_us + 30_000_000,
        "talk_ms": 27_000,
        "disposition": "answered",
    }


@asynccontextmanager
async def _page(home: Path) -> AsyncIterator[Page]:
    """Somebody who is signed in on an engine with this store."""
    async with engine_alone(home, f"sqlite:///{home / 'store.db'}") as address, async_playwright() as playwright:
        browser = await launch(playwright)
        page = await (await browser.new_context(base_url=address)).new_page()
        await page.goto("/")
        await page.get_by_label("E-mail address").fill(EMAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("navigation", name="Main").wait_for()
        yield page
        await browser.close()


async def _scrolled(page: Page, path: str) -> dict[str, list[float]]:
    await page.goto(path)
    await page.get_by_role("listitem").nth(FEW - 1).wait_for()
    await page.wait_for_timeout(1000)
    await page.evaluate(WATCH)
    await page.mouse.move(640, 400)
    for _ in range(TURNS):
        await page.mouse.wheel(0, WHEEL_PX)
        await page.evaluate("new Promise(requestAnimationFrame)")
    for jump in range(JUMPS):
        to = ("document.body.scrollHeight", "0", "document.body.scrollHeight / 2")[jump % 3]
        await page.evaluate(f"scrollTo(0, {to})")
        await page.wait_for_timeout(50)
    found: dict[str, list[float]] = await page.evaluate("seen")
    return found


def _compared(path: str, few: dict[str, list[float]], many: dict[str, list[float]]) -> list[Figure]:
    name = f"scrolling {path.partition('?')[0]}"
    return [
        shown(f"{name}, picture after picture, ten rows, median", median(few["gaps"]), "ms"),
        shown(f"{name}, many rows, median", median(many["gaps"]), "ms"),
        shown(f"{name}, ten rows, p95", percentile(few["gaps"], 0.95), "ms"),
        at_most(
            f"{name}, many rows, p95",
            percentile(many["gaps"], 0.95),
            "ms",
            round(TIMES_LONGER * max(percentile(few["gaps"], 0.95), 17), 1),
        ),
        shown(f"{name}, ten rows, longest task", max(few["long"], default=0), "ms"),
        at_most(f"{name}, many rows, longest task", max(many["long"], default=0), "ms", 100),
    ]


async def _in_memory(page: Page) -> list[Figure]:
    """A hundred pages of people, one after the other: those far above are let go of."""
    await page.goto(PAGES[0])
    await page.get_by_role("listitem").nth(FEW).wait_for()
    session = await page.context.new_cdp_session(page)
    before = await _heap_mb(session)
    for _ in range(100):
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await page.evaluate("new Promise(requestAnimationFrame)")
        await page.wait_for_timeout(60)
    rows = await page.evaluate("Number(document.querySelector('[aria-setsize]').getAttribute('aria-setsize'))")
    return [
        shown("rows of the list that were read", rows, "rows"),
        at_most("memory that they take", await _heap_mb(session) - before, "MB", 15),
    ]


async def _heap_mb(session: Any) -> float:
    await session.send("HeapProfiler.collectGarbage")
    return float((await session.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6
