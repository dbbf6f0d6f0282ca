"""`pbx doctor`: each layer from the bottom up, what is wrong there and what to do (A3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pbx.cli import output, spoken
from pbx.cli.app import App, json_option
from pbx.config import ConfigError

if TYPE_CHECKING:
    from pbx.supervisor.doctor import Finding

_MARKS = {"ok": "  good   ", "warn": "  WARNING", "fail": "  BAD    "}


@click.command("doctor")
@click.option("--sound/--no-sound", default=False, help="Put the Asterisk that is used to the sound self-test (4 s).")
@json_option
@click.pass_obj
def doctor_command(app: App, sound: bool) -> int:
    """Look at every layer from the bottom up. Exit code 1: something is bad."""
    found = []
    for finding in _findings(app, sound):
        found.append(finding)
        if not app.as_json:
            click.echo(f"{_MARKS[finding.state]}  {finding.layer:<13} {_in_words(finding)}")
    if app.as_json:
        output.dump([finding.view() for finding in found])
    return 1 if any(finding.state == "fail" for finding in found) else 0


def _in_words(finding: Finding) -> str:
    """In English as one sentence; catalogues have what was found and the remedy apart."""
    found, remedy = map(spoken.said, (finding.message, finding.remedy))
    space = " " if found.endswith(".") else ""
    return finding.sentence if found == finding.message else f"{found}{space}{remedy}"


def _findings(app: App, sound: bool) -> Iterator[Finding]:
    from pbx.supervisor import doctor

    try:
        config = app.config
    except ConfigError as error:
        yield doctor.Finding("config", "fail", str(error))
        return
    yield from doctor.findings(config, sound=sound)
