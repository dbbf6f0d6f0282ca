"""`pbx asterisk`: which Asterisk carries the calls, building it, and whether its sound is whole."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.progress import bar
from pbx.config import Config

if TYPE_CHECKING:
    from pbx.adapters.asterisk.find import Found
    from pbx.adapters.asterisk.instance import Instance


@click.group("asterisk")
def asterisk_command() -> None:
    """The Asterisk that carries the calls."""


@asterisk_command.command("status")
@json_option
@click.pass_obj
def status(app: App) -> int:
    """Which ones are there, which one is used and why, and whether it runs. Exit code 1: it does not run."""
    from pbx.adapters.asterisk import find

    found = asyncio.run(find.status(app.config))
    running = asyncio.run(_running(app.config, found.used.prefix)) if found.used else None
    shown = {
        "used": found.used.origin if found.used else None,
        "version": found.used.version if found.used else None,
        "prefix": str(found.used.prefix) if found.used else None,
        "running": running is not None,
        "channels": running,
        "system": _in_words(found.system),
        "embedded": _in_words(found.embedded),
    }
    output.show(app, shown)
    if found.used is None:
        click.echo("It is built by “pbx asterisk build”, or by the first “make up”, in about four minutes.", err=True)
    return 0 if running is not None else 1


@asterisk_command.command("run")
@click.pass_obj
def run(app: App) -> None:
    """Run the engine's Asterisk alone, in the foreground until SIGTERM: for containers and service managers."""
    from pbx.adapters.asterisk.instance import EngineAsterisk
    from pbx.cli.node import refuse_several

    refuse_several(app.config, "run “pbx node run NAME”")
    in_foreground(EngineAsterisk(app.config, ensure(app.config), with_parent=True))


@asterisk_command.command("build")
@click.option("--again", is_flag=True, help="Even if one that can be used is there.")
@json_option
@click.pass_obj
def build(app: App, again: bool) -> None:
    """Build the embedded Asterisk where it is missing; about four minutes on two cores."""
    prefix = ensure(app.config, again=again)
    if app.as_json:
        return output.dump({"prefix": str(prefix)})
    if again:
        click.echo(f"Built in {prefix}.")


@asterisk_command.command("selftest")
@json_option
@click.pass_obj
def selftest(app: App) -> int:
    """Send it sound that restarts behind, transcoded and recorded, and measure what arrives. Exit code 1: faulty."""
    from pbx.adapters.asterisk.selftest import self_test

    prefix = ensure(app.config)
    verdict = asyncio.run(self_test(prefix))
    shown = {
        "prefix": str(prefix),
        "sound": verdict.sound,
        "recorded": round(verdict.recorded, 3),
        "heard": round(verdict.heard, 3),
        "finding": verdict.sentence,
    }
    output.show(app, shown)
    return 0 if verdict.sound else 1


def ensure(config: Config, *, again: bool = False) -> Path:
    """The Asterisk to use, built first with a bar where it is missing, and its English voice. Raises BuildError."""
    from pbx.adapters.asterisk import find

    with bar("Building Asterisk") as tell:
        prefix = asyncio.run((find.build if again else find.ensure)(config, tell))
    _fetch_voice(config)
    return prefix


def _fetch_voice(config: Config) -> None:
    """Debian's recorded English; where it cannot be had, our own prompts speak."""
    from pbx.adapters import core_sounds

    if core_sounds.wanted(config.cache):
        with bar("English prompts") as tell:
            tell(0.0, "Fetching Debian's recorded voice, 10 MB, once.")
            core_sounds.provide(config.cache)


def in_foreground(asterisk: Instance) -> None:
    """Until SIGTERM or Ctrl-C. Raises ClickException when it ends by itself, so that whoever runs us starts it anew."""
    if asyncio.run(_until_told(asterisk)):
        raise click.ClickException(f"{asterisk.name} ended by itself: look into {asterisk.layout.log}.")


async def _until_told(asterisk: Instance) -> bool:
    """Whether it ended without having been told to."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await asterisk.start()
    ended = asyncio.create_task(asterisk.wait())
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
    by_itself = ended.done()
    await asterisk.stop()
    await ended
    told.cancel()
    return by_itself


def _in_words(found: Found | None) -> str | None:
    if found is None:
        return None
    return f"{found.version} in {found.prefix}" + (f", not used: {found.problem}" if found.problem else "")


async def _running(config: Config, prefix: Path) -> str | None:
    """What a running one on this machine says of its channels; None where none answers."""
    from pbx.adapters.asterisk.embedded.errors import BuildError
    from pbx.adapters.asterisk.instance import EngineAsterisk
    from pbx.adapters.asterisk.node import NodeAsterisk

    for node in config.asterisks:
        asterisk = NodeAsterisk(config, node, prefix) if node else EngineAsterisk(config, prefix)
        try:
            answer = await asterisk.cli("core show channels count")
        except BuildError:
            continue
        if "active channel" in answer:
            return answer.splitlines()[0]
    return None
