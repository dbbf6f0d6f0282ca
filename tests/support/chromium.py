"""Chromium for tests: pages that speak with a voice of their own, and that are asked what they hear.

Voices are tones, as everywhere: `getUserMedia` gives an oscillator, and what the page's audio elements play is measured
with the ears of tests.support.tones. Sound needs an address that ICE offers, which those of the loopback interface are
not (measured: with them alone Chromium gathers for ever): where the machine has no other, a pair of virtual interfaces
is made. What goes to such an address stays on the machine all the same.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import functools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, async_playwright

from tests.support.tones import Samples, describe, is_silent, tones_in
from tests.support.waiting import Deadline, Missed

PROGRAM = "chromium"
SOUND_AT_ONCE = "--autoplay-policy=no-user-gesture-required"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    SOUND_AT_ONCE,
    "--mute-audio",
    # The microphone is none, so Chromium would hide addresses; pages that a test serves count as from elsewhere.
    "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nobody out there is asked for anything
)
OWN_ADDRESS = "10.213.0.1"
PAIR = ("switchhook0", "switchhook1")
POLL_S = 0.05
SOUND = (Path(__file__).parent / "chromium_sound.js").read_text()


def why_not() -> str:
    """Why no page can be opened here; empty: it can."""
    if shutil.which(PROGRAM) is None:
        return "chromium is not installed (deploy/prepare.sh tools)"
    return "" if media_address() else "this machine has no address but loopback's, and may not make one (ip link add)"


@functools.cache
def media_address() -> str:
    """An address of this machine that ICE offers; empty where there is none."""
    with _alone():
        return _address_or_new_one()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Of several pytest workers that begin at once."""
    with (Path(tempfile.gettempdir()) / f"switchhook-address-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _address_or_new_one() -> str:
    found = _addresses()
    if not found:
        _ip("link", "add", PAIR[0], "type", "veth", "peer", "name", PAIR[1])
        _ip("address", "add", f"{OWN_ADDRESS}/32", "dev", PAIR[0])
        for name in PAIR:
            _ip("link", "set", name, "up")
        found = _addresses()
    return found[0] if found else ""


def _addresses() -> list[str]:
    interfaces = json.loads(_ip("-json", "-4", "address") or "[]")
    usable = [each for each in interfaces if {"UP", "LOOPBACK"} & set(each["flags"]) == {"UP"}]
    return [info["local"] for each in usable for info in each["addr_info"]]


def _ip(*what: str) -> str:
    """What `ip` prints; nothing where it is missing or may not."""
    try:
        return subprocess.run(["ip", *what], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests; each opens contexts of its own in it."""
    async with async_playwright() as playwright, await launch(playwright) as running:
        yield running


async def launch(playwright: Playwright, silencing: bool = False) -> Browser:
    """``silencing``: pages may sound only after a click in them, as in everybody's browser."""
    flags = [flag for flag in FLAGS if not (silencing and flag == SOUND_AT_ONCE)]
    return await playwright.chromium.launch(executable_path=shutil.which(PROGRAM), args=flags, ignore_default_args=_NOT)


_NOT = ["--headless", "--mute-audio"]  # ours say the same


async def new_context(browser: Browser, tone: float) -> BrowserContext:
    """A browser of somebody who speaks ``tone``; its pages share cookies and locks."""
    context = await browser.new_context(permissions=["microphone"])
    await context.add_init_script(SOUND.replace("VOICE_HZ", str(tone)))
    return context


def _unpacked(samples: str) -> Samples:
    return np.frombuffer(base64.b64decode(samples), dtype="<f4").astype(np.float64)


class Tab:
    """One page, and what is heard in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    async def heard(self) -> Samples:
        """The last half second of what the page plays, at 8000 Hz."""
        return _unpacked(await self.page.evaluate("sound.heard()"))

    async def made(self) -> tuple[Samples, int, str]:
        """The last of what the page makes itself, its rate, and the browser's word on it: running or suspended."""
        found = await self.page.evaluate("sound.made()")
        return _unpacked(found["samples"]), int(found["rate"]), found["state"]

    async def tones(self, known: Iterable[float]) -> set[float]:
        return set(tones_in(await self.heard(), list(known)))

    async def until_hears(self, hz: float, within: float = 4) -> float:
        async def heard() -> bool:
            return hz in await self.tones([hz])

        await self.until(heard, within, f"the tone {hz:g} Hz")
        return time.monotonic()

    async def until_silence(self, within: float = 3) -> float:
        async def silent() -> bool:
            return is_silent(await self.heard())

        await self.until(silent, within, "silence")
        return time.monotonic()

    async def until(self, condition: Callable[[], Awaitable[Any]], within: float, what: str) -> Any:
        deadline = Deadline(within)
        while not (value := await condition()):
            if deadline.over:
                raise Missed(f"Not within {within:g} s: {what}. {await self.describe()}")
            await asyncio.sleep(POLL_S)
        return value

    async def describe(self) -> str:
        """For failures: what the page is like."""
        with contextlib.suppress(Exception):
            return f"It hears {describe(await self.heard())}; complaints: {self.complaints}"
        return "The page is gone."

    async def refuse_microphone(self, name: str = "NotAllowedError", message: str = "") -> None:
        """From now on getUserMedia fails; with an empty name it works again."""
        await self.page.evaluate("([name, message]) => sound.refuse(name, message)", [name, message])

    async def unplug_microphone(self) -> None:
        """The microphone in use is gone, and the system says that its devices have changed."""
        await self.page.evaluate("sound.unplug()")

    async def speak(self, hz: float) -> None:
        """With another voice, from the next microphone on."""
        await self.page.evaluate("hz => sound.speak(hz)", hz)
