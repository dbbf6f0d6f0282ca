"""Whose turn it is: of the engines that share a home, exactly one has the calls (P1, A8).

On SQLite all of them are on one machine, and the kernel's lock on a file says so (:mod:`pbx.adapters.store.live_log`).
On PostgreSQL they may be on several: the one that runs holds a lock of the database's in a session of its own. A lock
on shared storage would stay for minutes when its machine is cut off; the server ends a silent session within some five
seconds, and at once when the engine's process dies.

While the database is away nobody can have the lock, and the engine goes on with its calls. When it is back, the engine
asks for its lock before those that stand by; where another has it, its turn is over, and it must end at once.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import socket
import time

import structlog

from crm.engine import database_url, is_sqlite
from crm.errors import unavailable
from crm.session_lock import LockAway, SessionLock
from pbx.adapters.store.live_log import EngineRuns
from pbx.config import Config

log = structlog.get_logger("turn")

LOOK_EVERY_S = 0.2
STAND_BACK_S = 1.5
"""How much later than the engine that ran, who stands by asks a database that was away."""
_TIDY_EVERY_S = 60.0


def is_shared(config: Config) -> bool:
    """Whether engines of this home may be on several machines."""
    return not is_sqlite(database_url(config.database_url))


def engine_name(config: Config) -> str:
    """The same in each run, and on each machine that shares the home: what an engine before has begun is its own."""
    if is_shared(config):
        return f"engine:{_digest(config)[:8].hex()}"
    return f"{socket.gethostname()}:{config.home}"


class Turn:
    """One engine's; :meth:`take` gives it, :meth:`keep` runs as long as the engine does."""

    def __init__(self, config: Config) -> None:
        self.lock = SessionLock(config.database_url, int.from_bytes(_digest(config)[:8], "big", signed=True))
        self.in_doubt = False
        self.lost = asyncio.Event()

    @classmethod
    async def take(cls, config: Config, *, wait: bool) -> Turn:
        """When no other engine has it. Where this one is not to ``wait``: raises EngineRuns where one has, Refused
        where the database is away."""
        turn = cls(config)
        if not wait:
            await turn._at_once()
            return turn
        tidied = time.monotonic()
        while not await turn._comes():
            if time.monotonic() - tidied > _TIDY_EVERY_S:  # nothing else does, until the engine has begun
                gc.collect()
                tidied = time.monotonic()
            await asyncio.sleep(LOOK_EVERY_S)
        return turn

    async def _at_once(self) -> None:
        try:
            if await self.lock.take():
                return
        except LockAway as error:
            raise unavailable(str(error)) from error
        await self.close()
        raise EngineRuns("Another engine with this home and database has the calls. Start this one with --standby.")

    async def keep(self) -> None:
        """Until it is lost; for a task of its own."""
        while not self.lost.is_set():
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look()
            except LockAway as error:
                if not self.in_doubt:
                    log.warning("turn.in_doubt", why=str(error))
                self.in_doubt = True

    def asterisk_taken(self) -> None:
        """Another engine has connected to our Asterisk. With the lock in doubt it is the one that has it now."""
        if self.in_doubt:
            self.lost.set()

    async def close(self) -> None:
        """The next one may have it."""
        await self.lock.close()

    async def _look(self) -> None:
        if self.lock.connected:
            await self.lock.ask()
        elif await self.lock.take():
            log.info("turn.kept")
            self.in_doubt = False
        else:
            self.lost.set()

    async def _comes(self) -> bool:
        """Whether it is ours now. A database that is back is asked by the engine that ran first."""
        try:
            if self.in_doubt:
                await self.lock.connect()
                await asyncio.sleep(STAND_BACK_S)
            self.in_doubt = False
            return await self.lock.take()
        except LockAway:
            self.in_doubt = True
            return False


def _digest(config: Config) -> bytes:
    """Of a secret that is in the home, wherever it is mounted."""
    return hashlib.sha256(f"turn {config.secrets().cookie}".encode()).digest()
