"""Forgets what has had its time: logins that expired and idempotency keys of yesterday."""

from __future__ import annotations

import asyncio

import structlog

from crm.errors import Refused
from crm.services import idempotency, sessions
from crm.unit_of_work import SYSTEM
from pbx.web.engine import Engine

log = structlog.get_logger("web.housekeeping")

EVERY_S = 60.0
KEYS_KEPT_US = 24 * 3600 * 1_000_000


async def keep_house(engine: Engine) -> None:
    """For as long as the web is served. A login that expired takes its phone along, so this is done
    every minute. A store that is away is asked again then."""
    while True:
        try:
            await forget_expired(engine)
        except Refused as refused:
            log.warning("housekeeping.later", why=refused.message)
        await asyncio.sleep(EVERY_S)


async def forget_expired(engine: Engine) -> None:
    async with engine.store.write(SYSTEM) as work:
        await sessions.purge(work)
        await idempotency.purge(work, engine.clock.now() - KEYS_KEPT_US)
