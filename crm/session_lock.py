"""A lock that one session of PostgreSQL holds, whichever machine it is on, and that ends with the session.

The server ends a session of which it hears nothing for five seconds (its kernel asks), and at once when the process
that has it dies.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from crm.engine import database_url

ANSWER_WITHIN_S = 3.0
_LETS_GO_WITHIN_S = 0.2
_SESSION = {
    "application_name": "switchhook-turn",
    "jit": "off",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_WHO = text("SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start::text = :since")


class LockAway(Exception):
    """The database does not answer, or has ended the session; the text says what it said."""


class SessionLock:
    """For one caller at a time. ``key`` is a whole number of 64 bits, with a sign."""

    def __init__(self, url: str, key: int) -> None:
        self._engine: AsyncEngine = create_async_engine(
            database_url(url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": ANSWER_WITHIN_S, "command_timeout": ANSWER_WITHIN_S, "server_settings": _SESSION},
        )
        self._key = key
        self._connection: AsyncConnection | None = None
        self._held_by: tuple[int, str] | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a session; the lock may be its own or not."""
        return self._connection is not None

    async def connect(self) -> None:
        """A session, where there is none. Raises LockAway."""
        if self._connection is None:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    self._connection = await self._engine.connect()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                raise LockAway(str(error) or type(error).__name__) from error

    async def take(self) -> bool:
        """Whether it is ours now. A session of our own that was lost may still be there for the server: it is ended,
        and lets go a moment later. Raises LockAway."""
        await self.connect()
        earlier = self._held_by
        if earlier is not None:
            await self.ask(_END, pid=earlier[0], since=earlier[1])
            for _ in range(5):
                if await self._taken():
                    return True
                await asyncio.sleep(_LETS_GO_WITHIN_S / 5)
        return await self._taken()

    async def ask(self, question: Any = _WHO, **values: Any) -> Any:
        """The first row of what the session answers. Raises LockAway; then there is no session any more."""
        try:
            assert self._connection is not None
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return (await self._connection.execute(question, values)).first()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            await self.drop()
            raise LockAway(str(error) or type(error).__name__) from error

    async def drop(self) -> None:
        """End the session, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(1.0):
                await connection.invalidate()
                await connection.close()
        except (SQLAlchemyError, OSError, TimeoutError):
            pass  # it is gone, which is what was wanted

    async def close(self) -> None:
        await self.drop()
        await self._engine.dispose()

    async def _taken(self) -> bool:
        if not (await self.ask(_TAKE, key=self._key))[0]:
            return False
        self._held_by = tuple(await self.ask())
        return True
