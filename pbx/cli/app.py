"""What every command shares: configuration, the store, how to print, and waiting for the engine to follow."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pbx.config import Config
from pbx.supervisor.checks import check_database

if TYPE_CHECKING:
    from crm.unit_of_work import Store, UnitOfWork

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

FOLLOW_S = 3.0
_LOOK_AGAIN_S = 0.03


@dataclass
class App:
    """One run of the command line."""

    as_json: bool = False
    home: Path | None = None

    @cached_property
    def config(self) -> Config:
        return Config.load(home=self.home)

    def read(self, ask: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """Run ``ask`` in a reading transaction."""
        return _run(self._with_store(lambda store: _reading(store, ask)))

    def write(self, do: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T:
        """Run ``do`` in a transaction, commit, and return when a running engine has taken the change."""
        done, revision = _run(self._with_store(lambda store: _writing(store, do)))
        if not follow(self.config, revision):
            click.echo("Saved, but the running engine has not taken it yet. See what “pbx doctor” says.", err=True)
        return done

    def with_store(self, use: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        """Run what needs more than one transaction."""
        return _run(self._with_store(use))

    async def _with_store(self, use: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        async with self.store() as store:
            return await use(store)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store of this home. Raises ConfigError where nobody has made one: a wrong home is likelier."""
        from crm.unit_of_work import Store

        check_database(self.config)
        store = Store(self.config.database_url)
        try:
            yield store
        finally:
            await store.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Imported here: it is half of what a command needs to start, and help needs none of it."""
    import asyncio

    return asyncio.run(work)


def follow(config: Config, revision: int, within_s: float = FOLLOW_S) -> bool:
    """Wait until the engine works with this revision of the configuration (A2); at once where none runs."""
    from pbx.supervisor.health import ready

    deadline = time.monotonic() + within_s
    while True:
        state = ready(config)
        if state is None or int(state.get("config_revision", revision)) >= revision:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_AGAIN_S)


def _json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(App).as_json = True


def json_option(command: F) -> F:
    """`--json`, before or behind the command's name."""
    option = click.option("--json", is_flag=True, expose_value=False, callback=_json, help="Print JSON.")
    return option(command)


async def _reading(store: Store, ask: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    async with store.read() as session:
        return await ask(session)


async def _writing(store: Store, do: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> tuple[T, int]:
    from crm import directory
    from crm.unit_of_work import CLI

    async with store.write(CLI) as work:
        done = await do(work)
    async with store.read() as session:
        return done, await directory.current_revision(session)
