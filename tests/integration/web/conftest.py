"""A served engine on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm.unit_of_work import Store
from tests.integration.web.world import World, open_world
from tests.support import stores

empty_url = stores.empty_url
postgres_cluster = stores.postgres_cluster
shared_postgres = stores.shared_postgres
sqlite_template = stores.sqlite_template
store = stores.store
store_url = stores.store_url


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(store, tmp_path / "home") as opened:
        yield opened
