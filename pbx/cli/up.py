"""`pbx up`: everything on this machine, with one command, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from pbx.cli.app import App
from pbx.config import Config
from pbx.supervisor.health import engine_url, ready

if TYPE_CHECKING:
    from crm.unit_of_work import Store
    from pbx.supervisor.demo import Login
    from pbx.supervisor.supervise import Supervisor

_SUMMARY_EVERY_S = 2.0
_CLEAR = "\r\033[K"  # the line that is rewritten on a terminal


@click.command("up")
@click.option("--demo/--no-demo", default=True, help="With the demo organisation and the practice carrier, or without.")
@click.pass_obj
def up_command(app: App, demo: bool) -> None:
    """Run Asterisk, practice carrier and engine here until Ctrl-C. The first time builds Asterisk (four minutes)."""
    from pbx.cli.asterisk import ensure
    from pbx.cli.node import refuse_several
    from pbx.supervisor.checks import check_ports, check_room
    from pbx.supervisor.errors import CannotStart
    from pbx.supervisor.lock import only_one
    from pbx.supervisor.supervise import Supervisor, ports_of

    config = app.config
    refuse_several(config, "run “pbx node run NAME” on the machine of each, and “pbx serve” on one of them")
    try:
        with only_one(config.home, engine_url(config)):
            check_room(config.home)
            check_ports(ports_of(config, practice=demo))
            prefix = ensure(config)
            people = asyncio.run(_prepare(config, demo))
            supervisor = Supervisor(config, prefix, lambda text: _say(config, text), practice=demo)
            asyncio.run(_run(config, supervisor, people, demo))
    except CannotStart as error:
        raise click.ClickException(str(error)) from error


class _People(NamedTuple):
    logins: Sequence[Login]
    """Those of the demo."""
    admins: bool
    """Whether there is one who can sign in."""


async def _prepare(config: Config, demo: bool) -> _People:
    """A database of this version, with the demo organisation in it."""
    from crm.migrations import migrate
    from crm.services import users
    from crm.unit_of_work import Store
    from pbx.adapters.asterisk.instance import hosts_warning
    from pbx.supervisor import demo as demos

    if warning := hosts_warning():
        _say(config, warning)
    await migrate(config.database_url)
    store = Store(config.database_url)
    try:
        logins = await demos.prepare(config, store) if demo else await _begin(store)
        async with store.read() as session:
            admins = await users.list_all(session, role="admin", active=True)
        return _People(logins, any(admin.has_password for admin in admins))
    finally:
        await store.close()


async def _begin(store: Store) -> Sequence[Login]:
    """A house without a demo: what nobody should have to think of before the first call. Nobody's login."""
    from crm.services import users, usual_outcomes

    async with store.write() as work:
        if not await users.list_all(work.session):
            await usual_outcomes.seed(work)
    return ()


async def _run(config: Config, supervisor: Supervisor, people: _People, demo: bool) -> None:
    from pbx.supervisor.screen import first_screen

    stopping = asyncio.Event()
    _on_signals(supervisor, stopping)
    starting = asyncio.create_task(supervisor.start())
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((starting, asked), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            _print(first_screen(config, people.logins, practice=demo, admins=people.admins))
            await _show_until(config, asked)
    finally:
        starting.cancel()
        asked.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await supervisor.stop()
    _print(f"{_CLEAR if sys.stdout.isatty() else ''}Stopped.")


def _on_signals(supervisor: Supervisor, stopping: asyncio.Event) -> None:
    """The first asks to stop in order, the second does not wait."""

    def asked() -> None:
        if stopping.is_set():
            supervisor.kill()
            return
        _print("\nStopping: calls end, the log is written. Ctrl-C again to stop at once.")
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked)


async def _show_until(config: Config, asked: asyncio.Task[bool]) -> None:
    """One line that tells what goes on, where somebody can see it."""
    while not asked.done():
        if sys.stdout.isatty():
            state = await asyncio.to_thread(ready, config, 1.0)
            _print(f"{_CLEAR}{_summary(state)}", newline=False)
        await asyncio.wait((asked,), timeout=_SUMMARY_EVERY_S)


def _summary(state: dict[str, object] | None) -> str:
    if state is None:
        return "The engine does not answer; it is being started again."
    calls = state.get("calls", 0)
    link = "" if state.get("asterisk") else " Asterisk is away; it is being started again."
    return f"{time.strftime('%H:%M:%S')}  {calls} {'call' if calls == 1 else 'calls'} up.{link}"


def _say(config: Config, text: str) -> None:
    """To whoever watches, and into the log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}"
    _print(f"{_CLEAR}{line}" if sys.stdout.isatty() else line)
    with contextlib.suppress(OSError):
        path = config.home / "log" / "up.log"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a") as log:
            log.write(line + "\n")


def _print(text: str, *, newline: bool = True) -> None:
    """A terminal that has gone is no reason to end calls."""
    try:
        sys.stdout.write(text + ("\n" if newline else ""))
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
