"""One transaction per request, committed at the edge.

A :class:`Store` is opened once per process. ``async with store.write(actor) as work`` gives the unit of work that
services take; leaving the block commits, an error rolls everything back. ``async with store.read()`` gives a
session that only reads. Both turn what the database reports into :class:`~crm.errors.Refused`.

Audit entries and the bump of the configuration's revision are collected and written last, just before the commit:
on PostgreSQL both take a lock that all writers share, and a lock that is always taken last cannot deadlock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids
from crm.constraints import refusal_for
from crm.direct import Ask, Rows, SqliteLooks, make_direct
from crm.engine import database_url, for_reading, is_sqlite, make_engine, make_sessions
from crm.errors import Refused
from crm.repositories import audit, raw, revision
from crm.repositories.journal import Batch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: ``kind`` is user, token, cli, engine or system; ``id`` the user's or token's id."""

    kind: str
    id: str = ""
    name: str = ""
    role: str = "admin"

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


SYSTEM = Actor("system")
CLI = Actor("cli")
ENGINE = Actor("engine")


class UnitOfWork:
    """A transaction in progress, who asked for it and when."""

    def __init__(self, session: AsyncSession, actor: Actor, at_us: int) -> None:
        self.session = session
        self.actor = actor
        self.at_us = at_us
        self._changes: list[audit.Change] = []
        self.touches_calls = False
        self._touches_do_not_call = False
        self.touches_browsers = False

    def record(
        self,
        action: str,
        object_id: str,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        *,
        touches_calls: bool = True,
        touches_do_not_call: bool = False,
    ) -> None:
        """Put a change into the audit log, and tell the engine of it unless calls do not care.

        ``action`` is ``<thing>.<verb>``, for example ``user.add``. Secrets must not stand in before or after.
        """
        self._changes.append(audit.Change(action, object_id, before, after))
        self.touches_calls |= touches_calls
        self._touches_do_not_call |= touches_do_not_call

    def browsers_changed(self) -> None:
        """Phones of browsers came, went or have other secrets; where nothing else changed, only they are read again."""
        self.touches_browsers = True

    async def flush(self) -> None:
        """Send what was changed to the database, so that its constraints speak now."""
        with _told():
            await self.session.flush()

    async def finish(self) -> None:
        """Write what was collected; :meth:`Store.write` calls it once, before the commit."""
        await self.session.flush()
        if self._changes:
            await audit.append(self.session, str(self.actor), self.at_us, self._changes)
            self._changes = []
        if self.touches_calls or self.touches_browsers:
            await revision.bump(
                self.session, do_not_call=self._touches_do_not_call, browsers_only=not self.touches_calls
            )


class Store:
    """The database of one process. Raises Refused (503) from its blocks when the database is away."""

    def __init__(self, url: str | URL, *, clock: Callable[[], int] = ids.now_us) -> None:
        self.url = database_url(url) if isinstance(url, str) else url
        self.engine = make_engine(self.url)
        self.clock = clock
        self.on_change: Callable[[], None] | None = None  # told after a commit that calls depend on
        self._writing = make_sessions(self.engine)
        self._journal, self._looking = make_direct(self.engine), make_direct(self.engine)
        self._looks = SqliteLooks(str(self.url.database)) if is_sqlite(self.url) else None
        self._reading = make_sessions(for_reading(self.engine))

    @asynccontextmanager
    async def write(self, actor: Actor = SYSTEM) -> AsyncIterator[UnitOfWork]:
        with _told():
            async with self._writing() as session, session.begin():
                work = UnitOfWork(session, actor, self.clock())
                yield work
                await work.finish()
        if (work.touches_calls or work.touches_browsers) and self.on_change is not None:
            self.on_change()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        with _told():
            async with self._reading() as session, session.begin():
                yield session

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[Batch]:
        """Takes what the bulk writers of :mod:`crm.repositories.journal` gather; leaving the block writes it."""
        batch = Batch()
        yield batch
        with _told():
            await self._journal.write(batch)

    async def rows(self, questions: Sequence[raw.Question]) -> list[Rows]:
        """What each of these finds, for what is asked all day long: no session, and no state that they share."""
        with _told():
            return await self._looking.rows(questions)

    async def look(self, ask: Ask[T]) -> T:
        """What ``ask`` finds in a transaction that only reads. It may await :func:`crm.repositories.raw.rows` alone."""
        if self._looks is None:
            async with self.read() as session:
                return await ask(session)
        with _told():
            return await self._looks.look(ask)

    async def close(self) -> None:
        if self._looks is not None:
            self._looks.close()
        await self._journal.close()
        await self._looking.close()
        await self.engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    """Let what the database reports leave as a sentence, and everything else as it is."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        refused = refusal_for(error)
        if refused is None:
            raise
        raise refused from error
