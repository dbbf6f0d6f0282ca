"""Puts the engine together: the only place that knows every part."""

from __future__ import annotations

from crm import directory as directories
from crm.migrations import migrate
from crm.unit_of_work import Store
from pbx.bootstrap.engine import DRAIN_S, Engine
from pbx.config import Config

__all__ = ["DRAIN_S", "Engine", "open_engine"]


async def open_engine(config: Config) -> Engine:
    """An engine on its migrated store, not started yet."""
    await migrate(config.database_url)
    store = Store(config.database_url)
    async with store.read() as session:
        directory = await directories.load(session)
    return Engine(config, store, directory)
