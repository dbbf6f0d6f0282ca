"""`pbx practice`: the practice carrier plays the public network."""

from __future__ import annotations

import asyncio

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.services.practice import NUMBERS, TEXT_NUMBERS


@click.group("practice")
def practice_command() -> None:
    """The practice carrier: a second Asterisk that plays the public network. It runs while “make up” does."""


@practice_command.command("numbers")
@json_option
@click.pass_obj
def numbers(app: App) -> None:
    """What can be dialled and texted there, and what each does."""
    does = [{"number": number, "does": what["en"]} for number, what in [*NUMBERS.items(), *TEXT_NUMBERS.items()]]
    output.table(app, does, ("number", "does"))


@practice_command.command("run")
@click.pass_obj
def run(app: App) -> None:
    """Run the practice carrier alone, in the foreground until SIGTERM."""
    from pbx.adapters.asterisk.practice import PracticeCarrier
    from pbx.cli.asterisk import ensure, in_foreground

    in_foreground(PracticeCarrier(app.config, ensure(app.config)))


@practice_command.command("call")
@click.argument("from_number", metavar="FROM")
@click.option("--to", "to_number", required=True, help="One of your numbers, for example +14155550101.")
@click.option("--play", type=click.Choice(("tone", "echo", "speech", "silence")), default="speech", show_default=True)
@click.option("--seconds", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Then it hangs up.")
@click.option("--hz", type=click.IntRange(50, 3800), default=1000, show_default=True, help="The tone's pitch.")
@click.option("--digits", default="", help="Pressed once answered; w is a pause.")
@json_option
@click.pass_obj
def call(app: App, from_number: str, to_number: str, play: str, seconds: float, hz: int, digits: str) -> int:
    """Have FROM call one of your numbers; returns when it is answered or given up. Exit code 1: not answered."""
    from pbx.adapters.asterisk.practice import PLAYS, PracticeCarrier

    carrier = PracticeCarrier(app.config, app.config.cache)
    kind = next(name for name in PLAYS if name == play)
    made = asyncio.run(carrier.call(from_number, to_number, kind, seconds, hz=hz, digits=digits))
    output.show(app, {"from": from_number, "to": to_number, "result": made.result, "channel": made.channel})
    return 0 if made.answered else 1


@practice_command.command("text")
@click.argument("from_number", metavar="FROM")
@click.argument("body")
@click.option("--to", "to_number", required=True, help="One of your numbers, for example +14155550101.")
@json_option
@click.pass_obj
def text(app: App, from_number: str, body: str, to_number: str) -> int:
    """Have FROM send one of your numbers a text. Exit code 1: it was not taken."""
    from pbx.adapters.asterisk.practice import PracticeCarrier

    status, reason = asyncio.run(PracticeCarrier(app.config, app.config.cache).text(from_number, to_number, body))
    output.show(app, {"from": from_number, "to": to_number, "status": status, "reason": reason})
    return 0 if 200 <= status < 300 else 1
