"""One real stack for all live tests: it takes a second to start, and every test brings its own people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded
from pbx.config import Config
from tests.live.stage import Scene, Stack, close_stack, open_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sound and signalling in real time meet other people's processes on the same machine: a live test that fails is
    tried once more, and the closing line counts it as rerun. What is broken fails twice."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    running = await open_stack(tmp_path_factory.mktemp("switchhook"), prefix)
    yield running
    await close_stack(running)


@pytest.fixture
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    """People for one test. Afterwards no channel, no bridge, no call and no reservation may be left."""
    opened = Scene(stack)
    yield opened
    await opened.close()


@pytest.fixture
async def broken(tmp_path: Path) -> AsyncIterator[Scene]:
    """A stack of its own: here it is broken on purpose."""
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    stack = await open_stack(tmp_path, prefix)
    opened = Scene(stack)
    try:
        yield opened
        await opened.close()
    finally:
        await close_stack(stack)
