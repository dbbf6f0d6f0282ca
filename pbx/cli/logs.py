"""`pbx logs`: what engine, Asterisk and practice carrier wrote, in one place."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

import click

from pbx.cli.app import App

_FILES = {
    "engine": "log/engine.log",
    "asterisk": "asterisk/log/messages.log",
    "security": "asterisk/log/security.log",
    "practice": "practice/log/messages.log",
    "up": "log/up.log",
}
_LOOK_AGAIN_S = 0.2


@click.command("logs")
@click.argument("which", type=click.Choice(tuple(_FILES)), default="engine")
@click.option("-n", "--lines", type=click.IntRange(0, 1_000_000), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come; Ctrl-C ends it.")
@click.option("--node", help="Of this node, where there are several: asterisk and security.")
@click.option("--call", help="Only lines with this call's id.")
@click.pass_obj
def logs_command(app: App, which: str, lines: int, follow: bool, node: str | None, call: str | None) -> None:
    """Show the last lines of a log: engine, asterisk, security, practice or up."""
    if node is not None and node not in app.config.asterisks:
        raise click.ClickException(f"There is no node “{node}”: see “pbx node list”.")
    home = app.config.home if node is None else app.config.asterisks[node].home
    path = home / _FILES[which]
    if not path.exists():
        raise click.ClickException(f"There is no {path} yet: start with “make up”, or name another home with --home.")
    file: BinaryIO
    with path.open("rb") as file:
        for line in deque((line for line in file if _wanted(line, call)), maxlen=lines):
            _print(line)
        while follow:
            file = _again(file, path)
            line = file.readline()
            if not line:
                time.sleep(_LOOK_AGAIN_S)
            elif _wanted(line, call):
                _print(line)


def _again(file: BinaryIO, path: Path) -> BinaryIO:
    """The same file, or the new one where it was rotated away and all of the old one is read."""
    try:
        moved = os.fstat(file.fileno()).st_ino != path.stat().st_ino
    except FileNotFoundError:
        return file
    return path.open("rb") if moved and file.tell() >= os.fstat(file.fileno()).st_size else file


def _wanted(line: bytes, call: str | None) -> bool:
    return call is None or call.encode() in line


def _print(line: bytes) -> None:
    click.echo(line.decode(errors="replace").rstrip("\n"))
