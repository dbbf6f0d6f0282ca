"""`pbx law`: rules with their sources, and legal holds (P5)."""

from __future__ import annotations

import json
from typing import Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import plain

_RULES = ("key", "value", "basis", "source", "date", "unchecked", "changed")
_HOLDS = ("id", "kind", "object_id", "reason", "placed_by", "created_us", "released_us")


@click.group("law")
def law_command() -> None:
    """Calling hours, recording, refusals, STOP words, classes of campaigns: as data with source and date."""


@law_command.command("list")
@click.option("--kind", help="hours, text_hours, holidays, recording, refusal, attempts, words or campaigns.")
@json_option
@click.pass_obj
def list_all(app: App, kind: str | None) -> None:
    """List the rules in force."""
    from crm.services import law

    output.table(app, [plain(rule) for rule in app.read(lambda session: law.list_all(session, kind=kind))], _RULES)


@law_command.command("show")
@click.argument("key")
@json_option
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show a rule, such as hours.US-FL."""
    from crm.services import law

    output.show(app, plain(app.read(lambda session: law.show(session, key))))


@law_command.command("change")
@click.argument("key")
@click.argument("value")
@click.option("--source", required=True, help="Where it stands.")
@click.option("--date", required=True, help="Since when it holds, or the version that was read: 2026-12-31.")
@click.option("--reason", required=True, help="Why it is changed.")
@click.option("--basis", type=click.Choice(("law", "code", "custom")), help="What kind of rule it is.")
@click.option("--text", help="What it says, in a sentence.")
@json_option
@click.pass_obj
def change(app: App, /, key: str, value: str, **given: Any) -> None:
    """Change a rule, or add one: VALUE as JSON, as others of the kind have it. It holds for the next call."""
    from crm.services import law

    try:
        values = {"value": json.loads(value)} | {name: each for name, each in given.items() if each is not None}
    except ValueError:
        example = '{"weekdays": ["09:00-20:00"], "sunday": []}'
        raise click.ClickException(f"The value is not JSON. Write it like {example}.") from None
    output.show(app, plain(app.write(lambda work: law.change(work, key, values))))


@law_command.command("reset")
@click.argument("key")
@json_option
@click.pass_obj
def reset(app: App, key: str) -> None:
    """Back to how a rule came; one that was added is taken out."""
    from crm.services import law

    rule = app.write(lambda work: law.remove(work, key))
    if rule is not None:
        return output.show(app, plain(rule))
    return output.dump({"key": key, "removed": True}) if app.as_json else click.echo("Removed.")


@law_command.command("holds")
@click.option("--all", "everything", is_flag=True, help="Those that were released, too.")
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def list_holds(app: App, everything: bool, cursor: str | None) -> None:
    """List legal holds: what must not be destroyed."""
    from crm.services import holds

    standing = None if everything else True
    found = app.read(lambda session: holds.list_all(session, standing=standing, cursor=cursor))
    output.page(app, [plain(hold) for hold in found.items], _HOLDS, found.next_cursor)


@law_command.command("hold")
@click.argument("kind", type=click.Choice(("record", "call", "recording", "voicemail", "user", "number")))
@click.argument("name")
@click.option("--reason", required=True, help="Why, for example the number of the case.")
@json_option
@click.pass_obj
def hold(app: App, kind: str, name: str, reason: str) -> None:
    """Keep something from being destroyed: NAME is an id or a number."""
    from crm.services import holds

    values = {"kind": kind, "object": name, "reason": reason}
    output.show(app, plain(app.write(lambda work: holds.add(work, values))))


@law_command.command("release")
@click.argument("hold_id", metavar="HOLD")
@click.option("--reason", required=True, help="Why.")
@json_option
@click.pass_obj
def release(app: App, hold_id: str, reason: str) -> None:
    """Let it be destroyed again when its time is over."""
    from crm.services import holds

    output.show(app, plain(app.write(lambda work: holds.release(work, hold_id, {"reason": reason}))))


@law_command.command("destroyed")
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def destroyed(app: App, cursor: str | None) -> None:
    """What was destroyed because its time was over (settings retention.…)."""
    from crm.services import retention

    found = app.read(lambda session: retention.list_all(session, cursor=cursor))
    columns = ("at_us", "kind", "before_us", "destroyed", "files", "bytes", "held")
    output.page(app, [plain(each) for each in found.items], columns, found.next_cursor)
