"""From an empty house to the first call, by what the screen and the page say and nothing else (issue 4, A1, A2).

`pbx up` without the demo, the first admin as its screen says, then the guide on the first page: notice, carrier,
number, user, phone, call. The carrier is the practice one, started beside it as anybody's would be: on this machine,
where the phones of browsers come from as well.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.practice import PracticeCarrier
from pbx.config import Config
from tests.support.chromium import Tab, new_context
from tests.support.up import Up

VOICE, STEADY, CALLER_TONE = 620, 400, 900
NUMBER, STEADY_NUMBER, CALLER = "(415) 555-0199", "206 555 0160", "+12065550142"


@pytest.fixture
async def house(tmp_path: Path, built_console: Path) -> AsyncIterator[Up]:
    up = Up(tmp_path / "home")
    await up.start("--no-demo")
    yield up
    assert await up.stop() == 0


@pytest.fixture
async def carrier(house: Up, tmp_path: Path) -> AsyncIterator[PracticeCarrier]:
    """With directories of its own; it sends calls to the house as any carrier does to its customer."""
    config = Config.load(house.environment, home=tmp_path / "carrier")
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    running = PracticeCarrier(config, prefix)
    await running.start()
    yield running
    await running.stop()


async def first_admin(house: Up) -> tuple[str, str]:
    """As the screen says: its lines are typed as they stand. E-mail address and password."""
    lines = [line.strip() for line in house.screen.splitlines() if ".venv/bin/pbx user" in line]
    assert len(lines) == 2, house.screen
    for line in lines:
        done = await house.run(*shlex.split(line)[1:])
        assert done.code == 0, done.err
        assert "not taken it yet" not in done.err
    shown = dict(re.findall(r"(?m)^(email|password)\s+(\S+)", done.out))
    return shown["email"], shown["password"]


async def fill(page: Page, values: dict[str, str]) -> None:
    form = page.get_by_role("dialog")
    for label, value in values.items():
        field = form.get_by_label(label, exact=True)
        if await field.evaluate("field => field.tagName") == "SELECT":
            await field.select_option(label=value)
        else:
            await field.fill(value)
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()


async def next_step(page: Page, title: str, does: str) -> None:
    """The guide's current step is this one; its button is pressed."""
    await page.get_by_role("link", name="Home").click()
    current = page.locator("li[aria-current=step]")
    await expect(current).to_contain_text(title)
    await current.get_by_role("button", name=does).or_(current.get_by_role("link", name=does)).click()


async def set_up(page: Page, carrier_port: int) -> None:
    """All steps of the guide before the first call: the number is the admin's own in the end."""
    await next_step(page, "Read the notice", "Read and accept")
    await page.get_by_role("button", name="I have read this and accept it").click()
    await next_step(page, "Connect your carrier", "Add trunk")
    here = {"How the carrier knows us": "By our address", "Server": "127.0.0.1", "Port": str(carrier_port)}
    await fill(page, {"Name": "Carrier", **here})
    await next_step(page, "Add a number", "Add number")
    await fill(page, {"Number": NUMBER})
    await next_step(page, "Give it to a user", "Add user")
    rita = {"Name": "Rita Rep", "E-mail address": "rita@firm.example", "Password": "correct horse battery"}
    await fill(page, {**rita, "Number": NUMBER})
    await expect(page.get_by_role("row", name=re.compile("Rita Rep"))).to_contain_text(NUMBER)

    await page.get_by_role("button", name="Edit: Rita Rep").click()  # it was meant for the admin
    await fill(page, {"Number": "None"})
    await page.get_by_role("button", name="Edit: Your Name").click()
    await fill(page, {"Number": NUMBER})
    await next_step(page, "Register a phone", "My phones")
    await expect(page.locator("#phones")).to_be_in_viewport()
    await page.get_by_role("button", name="Start shift").click()
    await expect(page.get_by_role("button", name="Phone: Ready", exact=True)).to_be_visible()


@pytest.mark.covers("A1", "A2", "N1", "N5", "V5", "V9")
async def test_the_guide_leads_from_nothing_to_the_first_call_and_it_is_heard_both_ways(
    house: Up, carrier: PracticeCarrier, browser: Browser
) -> None:
    email, password = await first_admin(house)
    context = await new_context(browser, VOICE)
    tab = Tab(await context.new_page())
    page = tab.page
    await page.goto(f"http://127.0.0.1:{house.ports['http']}/")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.keyboard.press("Enter")

    await set_up(page, house.ports["practice_sip"])
    await next_step(page, "Make the first call", "Make a call")
    await page.keyboard.type(STEADY_NUMBER)
    await expect(page.get_by_role("dialog").get_by_role("option", selected=True)).to_contain_text(STEADY_NUMBER)
    await page.keyboard.press("Enter")
    await tab.until_hears(STEADY, 10)
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(page.get_by_role("heading", name=re.compile("^Summary"))).to_be_focused()
    await page.keyboard.press("1")  # the first of the outcomes that a house begins with
    await expect(page.get_by_role("button", name="Connected", pressed=True)).to_be_visible()
    await page.get_by_role("button", name="Save", exact=True).click()

    calling = asyncio.ensure_future(carrier.call(CALLER, "+14155550199", hz=CALLER_TONE))
    card = page.get_by_role("region", name="Incoming call", exact=True)
    await card.get_by_role("button", name="Answer").click()
    await tab.until_hears(CALLER_TONE, 10)
    assert (await calling).answered
    await page.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_text("Hello, Your Name")).to_be_visible()
    await expect(page.get_by_text("To the first call")).to_be_hidden()
    found = json.loads((await house.run("calls", "--log", "--json")).out)
    assert [call["disposition"] for call in found["items"]] == ["answered", "answered"], found
    assert len(json.loads((await house.run("calls", "--log", "--outcome", "Connected", "--json")).out)["items"]) == 1
    await context.close()
