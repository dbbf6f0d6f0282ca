"""One real stack for all live tests: it takes a second to start, and every test brings its own people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pbx.adapters.asterisk import embedded
from pbx.config import Config
from tests.live.stage import Scene, Stack, close_stack, open_stack


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
