"""The console as people use it: everything is found by its role and its name, as a screen reader would find it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from crm.services import deals, notes, people, users
from tests.live.stage import Rep, Scene
from tests.support.chromium import Tab, new_context
from tests.support.waiting import until

PASSWORD = "correct horse battery staple"
VOICE = 620
MOMENTS = (Path(__file__).parent / "moments.js").read_text()
# What a test breaks on purpose, and what the engine refuses, is no complaint about the page.
_EXPECTED = re.compile(r"Failed to load resource|WebSocket connection|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION")
expect.set_options(timeout=20_000)  # a page that opens beside others on two processors takes its time
Open = Callable[..., Awaitable["Console"]]


class Console(Tab):
    """One tab of the console, and whose it is."""

    def __init__(self, page: Page, rep: Rep, address: str) -> None:
        super().__init__(page)
        self.rep, self.address = rep, address

    # -- the parts of the page -----------------------------------------------------------------------

    @property
    def bar(self) -> Locator:
        return self.page.get_by_role("region", name="Running call", exact=True)

    @property
    def card(self) -> Locator:
        return self.page.get_by_role("region", name="Incoming call", exact=True)

    @property
    def invitation(self) -> Locator:
        return self.page.get_by_role("region", name="Invited to a call", exact=True)

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("region", name="People in this call", exact=True)

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Call", exact=True)

    @property
    def chip(self) -> Locator:
        return self.page.get_by_role("banner").get_by_role("button", name=re.compile("^Phone: "))

    def toast(self, text: str) -> Locator:
        return self.page.get_by_text(text).last  # before it stands the same for the ear

    def party(self, name: str) -> Locator:
        return self.panel.get_by_role("listitem").filter(has_text=name)

    async def press(self, name: str, within: Locator | None = None) -> None:
        """Click the button of this name, in the call bar unless another part is given."""
        await (within or self.bar).get_by_role("button", name=name, exact=True).click()

    async def key(self, keys: str) -> None:
        await self.page.keyboard.press(keys)

    # -- a shift -------------------------------------------------------------------------------------

    async def go(self, path: str) -> None:
        await self.page.goto(self.address + path)

    async def sign_in(self) -> None:
        await self.go("/")
        await self.page.get_by_label("E-mail address").fill(self.rep.user.email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.key("Enter")
        await expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    async def start_shift(self) -> None:
        await self.page.get_by_role("button", name="Start shift").click()
        await self.until_phone("Ready")

    async def until_phone(self, state: str, within: float = 8) -> None:
        await expect(self.chip).to_have_accessible_name(f"Phone: {state}", timeout=within * 1000)

    # -- calls ---------------------------------------------------------------------------------------

    async def dial(self, text: str, option: str = "") -> None:
        """By the keyboard alone: `/`, a part of the name or the number, Enter."""
        await self.key("/")
        await expect(self.dialog.get_by_role("combobox")).to_be_focused()
        await self.page.keyboard.type(text)
        await expect(
            self.dialog.get_by_role("option", name=re.compile(option or "^Call "), selected=True)
        ).to_be_visible()
        await self.key("Enter")

    async def invite(self, text: str) -> None:
        """Whoever is found first by this text."""
        await self.press("Invite")
        field = self.panel.get_by_role("combobox")
        await field.fill(text)
        await expect(self.panel.get_by_role("option", selected=True)).to_contain_text(text)
        await field.press("Enter")

    async def until_talking(self) -> None:
        await expect(self.bar).to_contain_text("Connected")

    async def until_free(self) -> None:
        await expect(self.bar).to_have_count(0)

    # -- a network that is slow -------------------------------------------------------------------------

    async def unanswered(self) -> asyncio.Event:
        """From now on no file and no question of the page is answered, until the event is set. Websockets go on."""
        go_on = asyncio.Event()

        async def hold(route: Route) -> None:
            await go_on.wait()
            await route.continue_()

        await self.page.route("**/*", hold)
        return go_on

    # -- for failures --------------------------------------------------------------------------------

    @property
    def unexpected(self) -> list[str]:
        return [said for said in self.complaints if not _EXPECTED.search(said)]


class Consoles:
    """Opens the console for the people of a scene, each in a browser of their own unless a tab is asked for."""

    def __init__(self, scene: Scene, browser: Browser) -> None:
        self.scene, self.browser = scene, browser
        self.contexts: list[BrowserContext] = []
        self.tabs: list[Console] = []

    async def open(
        self, rep: Rep, *, tone: float = VOICE, shift: bool = True, browser: Browser | None = None
    ) -> Console:
        """Sign in, start the shift, and wait until the engine would ring the page."""
        context = await new_context(browser or self.browser, tone)
        self.contexts.append(context)
        await context.add_init_script(MOMENTS)
        await self._give_password(rep)
        console = await self.tab(context, rep)
        await console.sign_in()
        if shift:
            await console.start_shift()
            await until(lambda: self.rings(rep), 2, "the engine to see the page's phone")
        return console

    async def tab(self, context: BrowserContext, rep: Rep) -> Console:
        """Another tab of a browser, empty."""
        address = f"http://127.0.0.1:{self.scene.stack.config.http_port}"
        console = Console(await context.new_page(), rep, address)
        self.tabs.append(console)
        return console

    async def beside(self, console: Console) -> Console:
        """Another tab of the same browser, where the shift goes on."""
        second = await self.tab(console.page.context, console.rep)
        await second.go("/")
        await second.until_phone("Ready")
        return second

    def rings(self, rep: Rep) -> bool:
        return int(self.scene.stack.engine.hub.presence.of(rep.id)["phones"]) > 0

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()

    def complaints(self) -> list[str]:
        return [said for console in self.tabs for said in console.unexpected]

    async def _give_password(self, rep: Rep) -> None:
        async with self.scene.stack.engine.store.read() as session:
            known = (await users.show(session, rep.id)).has_password
        if not known:
            await self.scene.stack.change(lambda work: users.set_password(work, rep.id, PASSWORD))


async def known_person(scene: Scene, name: str, *numbers: tuple[str, str], **more: Any) -> Any:
    """A contact with labelled numbers; ``note`` and ``deal`` may be given, ``company`` as with any contact."""
    note, deal = more.pop("note", ""), more.pop("deal", "")
    phones = [{"label": label, "number": number} for label, number in numbers]

    async def make(work: Any) -> Any:
        record = await people.add(work, "contact", {"name": name, "phones": phones} | more)
        if note:
            await notes.add(work, record.id, note)
        if deal:
            await deals.add(work, {"name": deal, "record_id": record.id, "stage": "Offer"})
        return record

    return await scene.stack.change(make)
