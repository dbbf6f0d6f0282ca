"""`pbx node`: the machines that run an Asterisk each, where the configuration names several (``nodes``)."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.config import Config

if TYPE_CHECKING:
    from pbx.adapters.asterisk.instance import Instance

_COLUMNS = ("name", "address", "linked", "calls", "version")


@click.group("node")
def node_command() -> None:
    """Machines that run an Asterisk each, driven by one engine."""


@node_command.command("list")
@json_option
@click.pass_obj
def show_nodes(app: App) -> int:
    """Each node's address, and what the engine knows of it. Exit code 1: one of them is not linked to the engine."""
    from pbx.supervisor.health import ready

    _check_several(app.config)
    known = {node["name"]: node for node in (ready(app.config) or {}).get("nodes", [])}
    rows: list[dict[str, Any]] = []
    for name, config in app.config.asterisks.items():
        unknown = {"name": name, "address": config.ari_host, "linked": False, "calls": None, "version": ""}
        rows.append(known.get(name, unknown))
    output.table(app, rows, _COLUMNS)
    if not known:
        click.echo("No engine answers on this machine, so nothing more is known: see “pbx doctor”.", err=True)
    return 0 if all(row["linked"] for row in rows) else 1


@node_command.command("run")
@click.argument("name")
@click.pass_obj
def run_node(app: App, name: str) -> None:
    """Run this node's Asterisk in the foreground until SIGTERM, on the machine that has its address."""
    from pbx.cli.asterisk import ensure, in_foreground

    in_foreground(make(app.config, name, lambda: ensure(app.config)))


def make(config: Config, name: str, prefix: Any) -> Instance:
    """Raises ClickException for a node that is not one, or is to run elsewhere."""
    from pbx.adapters.asterisk.node import NodeAsterisk

    _check_several(config)
    if name not in config.asterisks:
        raise click.ClickException(f"There is no node “{name}”: the configuration names {', '.join(config.asterisks)}.")
    address = config.asterisks[name].ari_host
    if not _is_here(address):
        raise click.ClickException(
            f"Node {name} has the address {address}, which this machine has not: run it there, or correct “nodes”."
        )
    where: Path = prefix()
    return NodeAsterisk(config, name, where)


def refuse_several(config: Config, instead: str) -> None:
    """For commands that are of one machine. Raises ClickException."""
    if config.nodes:
        raise click.ClickException(f"The configuration names several nodes ({', '.join(config.asterisks)}): {instead}.")


def _check_several(config: Config) -> None:
    if not config.nodes:
        raise click.ClickException(
            "The configuration names no nodes, so there is one Asterisk, on this machine. To have several, set “nodes” "
            'in config.toml, such as nodes = "a=10.0.0.11, b=10.0.0.12".'
        )


def _is_here(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
