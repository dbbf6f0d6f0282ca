"""The page of the phone alone, as a test drives it."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Route

from crm.services import users
from pbx.web.app import SECURITY_HEADERS
from tests.live.stage import Rep, Scene
from tests.support.chromium import Tab, new_context
from tests.support.waiting import Missed, until

PASSWORD = "correct horse battery staple"
VOICE = 620
PLACE = "/phone-alone/"
Open = Callable[..., Awaitable["PhonePage"]]


class PhonePage(Tab):
    """A page with nothing but the phone."""

    async def begin(self, email: str = "", password: str = "") -> None:
        given = [email, password] if email else []
        await self.page.evaluate("given => page.begin(...given)", given)

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate("page.phone.state")
        return found

    async def states(self) -> list[dict[str, Any]]:
        """Every state there was: ``at`` in milliseconds of the page, ``state``."""
        found: list[dict[str, Any]] = await self.page.evaluate("page.states")
        return found

    async def wire(self, start: str) -> list[dict[str, Any]]:
        """SIP messages of this page that begin so, with their moments in milliseconds."""
        found = await self.page.evaluate("start => page.wire.filter(({text}) => text.startsWith(start))", start)
        return list(found)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Of the engine's API, as the page does."""
        return await self.page.evaluate(
            "([method, path, body]) => page.ask(method, path, body ?? undefined)", [method, path, body]
        )

    async def do(self, command: str, *given: Any) -> Any:
        """A command that must succeed."""
        answer = await self.page.evaluate("given => page.command(...given)", [command, *given])
        assert "problem" not in answer, answer
        return answer.get("done")

    async def fails(self, command: str, *given: Any) -> dict[str, Any]:
        """The problem of a command that must fail."""
        answer = await self.page.evaluate("given => page.command(...given)", [command, *given])
        assert "problem" in answer, f"{command} succeeded"
        return dict(answer["problem"])

    async def until_state(self, fits: Callable[[dict[str, Any]], Any], within: float, what: str) -> dict[str, Any]:
        async def found() -> Any:
            state = await self.state()
            return state if fits(state) else None

        return dict(await self.until(found, within, what))

    async def until_ready(self, within: float = 5) -> dict[str, Any]:
        return await self.until_state(lambda state: state["registration"] == "ready", within, "a registered phone")

    async def until_session(self, *states: str, within: float = 5) -> dict[str, Any]:
        """The call that stands, once it is in one of these states."""

        def fits(state: dict[str, Any]) -> list[dict[str, Any]]:
            return [one for one in state["sessions"] if one["state"] in states]

        return dict(fits(await self.until_state(fits, within, f"a call that is {states}"))[0])

    async def until_free(self, within: float = 5) -> None:
        await self.until_state(lambda state: not state["sessions"], within, "no call any more")

    async def describe(self) -> str:
        try:
            return f"{await super().describe()}; {await self.state()}"
        except Exception:
            return await super().describe()


class Pages:
    """Opens pages for the people of a scene."""

    def __init__(self, scene: Scene, browser: Browser, built: Path) -> None:
        self.scene, self.browser, self.built = scene, browser, built
        self.contexts: list[BrowserContext] = []

    async def open(self, rep: Rep, *, tone: float = VOICE, beside: PhonePage | None = None) -> PhonePage:
        """Sign in and wait until the engine would ring it; ``beside`` another page: a second tab of that browser."""
        if beside is not None:
            return await self._tab(beside.page.context)
        context = await new_context(self.browser, tone)
        self.contexts.append(context)
        await context.route(f"**{PLACE}**", self._serve)
        await self._give_password(rep)
        page = await self._tab(context, rep.user.email, PASSWORD)
        state = await page.until_ready()
        rings = self.scene.stack.engine.registrations.phones
        await until(lambda: rings([state["deviceId"]]), 2, "the engine to see the browser")
        return page

    async def _tab(self, context: BrowserContext, *given: str) -> PhonePage:
        page = PhonePage(await context.new_page())
        await page.page.goto(f"http://127.0.0.1:{self.scene.stack.config.http_port}{PLACE}index.html")
        await page.begin(*given)
        return page

    async def _give_password(self, rep: Rep) -> None:
        async with self.scene.stack.engine.store.read() as session:
            known = (await users.show(session, rep.id)).has_password
        if not known:
            await self.scene.stack.change(lambda work: users.set_password(work, rep.id, PASSWORD))

    async def _serve(self, route: Route) -> None:
        """Under the engine's own address and with its headers, so that what it allows pages is what counts."""
        path = self.built / route.request.url.partition(PLACE)[2]
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        await route.fulfill(body=path.read_bytes(), content_type=kind, headers=dict(SECURITY_HEADERS))


__all__ = ["Missed", "Open", "Pages", "PhonePage"]
