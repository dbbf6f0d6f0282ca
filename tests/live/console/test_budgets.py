"""What the console may weigh, and how quickly it answers: figures are printed, bounds leave room for a busy machine."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.live.console.page import Console, Open, known_person
from tests.live.stage import Scene
from tests.support.console_weight import chunks, linked, weight
from tests.support.figures import Figure
from tests.support.waiting import Stopwatch

FIRST_PAGE_KB, PHONE_KB = 100, 60
FIRST_PAGE = ("Shell", "Home", "Calls")
PHONE = ("phone", "JsSIP")
SHIFT_AT_MOST = 0.02
ANSWERS_WITHIN_MS = 100
TRIES = 5


@pytest.mark.parametrize("language", ["en", "ja"])
def test_all_that_is_loaded_before_the_first_call_is_small(built_console: Path, figure: Figure, language: str) -> None:
    parts = chunks(built_console)
    files = linked(built_console).union(*(parts[name] for name in (*FIRST_PAGE, language)))
    kb = weight(built_console, files) / 1000
    figure(f"Before the first call {kb:.1f} kB ({language}).")
    assert kb <= FIRST_PAGE_KB


def test_the_phone_is_loaded_apart_and_small(built_console: Path, figure: Figure) -> None:
    parts = chunks(built_console)
    before = linked(built_console).union(*(parts[name] for name in (*FIRST_PAGE, "en")))
    more = set[str]().union(*(parts[name] for name in PHONE)) - before
    assert not any(file in before for name in PHONE for file in parts[name] if name in file)
    kb = weight(built_console, more) / 1000
    figure(f"The phone {kb:.1f} kB more.")
    assert kb <= PHONE_KB


async def test_no_page_jumps_while_it_loads(scene: Scene, open_console: Open, figure: Figure) -> None:
    rep = await scene.rep(phones=0)
    for number in range(3):
        await known_person(scene, f"Jumping Person {number} {rep.did[-4:]}", ("work", f"+1206555{number:04}"))
    console = await open_console(rep, shift=False)
    for path, name in (("/", "Hello"), ("/people", "People"), ("/calls", "Calls")):
        await console.go(path)
        await expect(console.page.get_by_role("heading", name=re.compile(name), level=1)).to_be_visible()
        await console.page.wait_for_load_state("networkidle")
        shifts = await console.page.evaluate("moments.shifts")
        figure(f"Layout shift of {path} while it loads: {shifts:.3f}.")
        assert shifts < SHIFT_AT_MOST, await console.page.evaluate("moments.jumped")


@pytest.mark.alone
@pytest.mark.covers("V1", "V2")
async def test_results_are_painted_at_once_after_the_key(scene: Scene, open_console: Open, figure: Figure) -> None:
    rep = await scene.rep(phones=0)
    name = f"Quentin {rep.did[-4:]}"
    await known_person(scene, name, ("work", "+12065559990"))
    console = await open_console(rep, shift=False)
    watch = Stopwatch()
    opened, found = [], []
    for _ in range(TRIES):
        opened.append(await painted_after(console, "/", "[role=combobox]"))
        found.append(await painted_after(console, "Q", "[role=option][aria-selected=true]"))
        await console.key("Escape")
        await expect(console.dialog).to_have_count(0)
    figure(
        f"After / the search stands in {min(opened):.0f} ms (first time {opened[0]:.0f} ms), "
        f"after a letter the first result in {min(found):.0f} to {max(found):.0f} ms."
    )
    assert max(min(opened), min(found)) < ANSWERS_WITHIN_MS * watch.slowness


async def painted_after(console: Console, key: str, selector: str) -> float:
    """Milliseconds of the page between a key and the picture that has what it brings."""
    watching = asyncio.ensure_future(console.page.evaluate(PAINTED, selector))
    await console.until(lambda: console.page.evaluate("moments.watching === true"), 2, "the page to watch")
    await console.key(key)
    return float(await watching)


PAINTED = """selector => new Promise((done) => {
  let pressed = 0;
  moments.watching = true;
  addEventListener('keydown', (event) => (pressed = event.timeStamp), { capture: true, once: true });
  const look = () => {
    if (!pressed || !document.querySelector(selector)) return requestAnimationFrame(look);
    moments.watching = false;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now() - pressed);
    port2.postMessage(null); // after the picture that this frame paints
  };
  requestAnimationFrame(look);
})"""
