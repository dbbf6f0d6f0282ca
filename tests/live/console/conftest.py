"""Pages in a real Chromium, signed in at the engine of the live tests."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from pbx.web.routes.front import STATIC
from tests.live.console import page as console_page
from tests.live.console.phone_page import Open, Pages
from tests.live.stage import Scene
from tests.support.chromium import browser, why_not

__all__ = ["browser"]

HERE = Path(__file__).parent
CONSOLE = HERE.parents[2] / "console"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    for item in items:
        if reason and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def bare_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the phone alone, built."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, so the page cannot be built")
    if not (CONSOLE / "node_modules/vite").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=CONSOLE, check=True, capture_output=True)
    built = tmp_path_factory.mktemp("page")
    vite = ["node", "node_modules/vite/bin/vite.js", "build", str(HERE / "page"), "--outDir", str(built)]
    done = subprocess.run(vite, cwd=CONSOLE, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return built


@pytest.fixture
async def open_page(scene: Scene, browser: Browser, bare_page: Path) -> AsyncIterator[Open]:
    """Opens a page for a rep, registered: ``await open_page(rep, tone=620)``."""
    pages = Pages(scene, browser, bare_page)
    yield pages.open
    await asyncio.gather(*(context.close() for context in pages.contexts))


@pytest.fixture(scope="session")
def built_console() -> Path:
    """What deploy/prepare.sh has built, and the engine serves."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the console is not built (make console)")
    return STATIC


@pytest.fixture
async def consoles(scene: Scene, browser: Browser, built_console: Path) -> AsyncIterator[console_page.Consoles]:
    """The console for the people of a test. Afterwards no page may have complained."""
    opened = console_page.Consoles(scene, browser)
    yield opened
    await opened.close()
    assert not opened.complaints()


@pytest.fixture
def open_console(consoles: console_page.Consoles) -> console_page.Open:
    """Opens the console for a rep, who has started their shift: ``await open_console(rep, tone=620)``."""
    return consoles.open
