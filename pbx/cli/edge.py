"""`pbx edge`: the SIP load balancer before several nodes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pbx.cli.app import App

_at = click.option("--at", default="", help="Which edge this is, by its address; needed where edge names several.")
_folder = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where its files go; else edge/ in the home."
)


@click.group("edge")
def edge_command() -> None:
    """The SIP load balancer (Kamailio) that phones and carriers speak to where there are several nodes."""


@edge_command.command("config")
@_at
@_folder
@click.pass_obj
def config(app: App, at: str, folder: Path | None) -> None:
    """Write Kamailio's configuration and print its path."""
    click.echo(_written(app, at, folder))


@edge_command.command("run")
@_at
@_folder
@click.pass_obj
def run(app: App, at: str, folder: Path | None) -> None:
    """Write it and run Kamailio in the foreground until SIGTERM: for containers and service managers."""
    from pbx.adapters import kamailio

    command = kamailio.command(_written(app, at, folder))
    os.execv(command[0], command)


def _written(app: App, at: str, folder: Path | None) -> Path:
    from pbx.adapters import kamailio

    return kamailio.write_edge(app.config, (folder or app.config.home / "edge").absolute(), at)
