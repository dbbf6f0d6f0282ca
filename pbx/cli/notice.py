"""`pbx notice`: what the operator must accept about law and consent (N5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.nouns import plain

F = TypeVar("F", bound=Callable[..., Any])
_language = click.option("--language", default="en", show_default=True, help="en or ja.")


@click.group("notice")
def notice_command() -> None:
    """What must be accepted before calls are made (voice) and before they are recorded (recording)."""


@notice_command.command("list")
@_language
@json_option
@click.pass_obj
def list_all(app: App, language: str) -> None:
    """List the notices with their texts, and who accepted them."""
    from crm.services import notices

    rows = [plain(each) for each in app.read(lambda session: notices.list_all(session, language))]
    if app.as_json:
        return output.dump(rows)
    for row in rows:
        accepted = row["accepted"]
        state = f"accepted by {accepted['user_name']}" if accepted else f"not accepted: pbx notice accept {row['key']}"
        click.echo(f"{row['key']} ({state})\n{row['title']}\n{row['text']}\n")


@notice_command.command("accept")
@click.argument("key")
@_language
@json_option
@click.pass_obj
def accept(app: App, key: str, language: str) -> None:
    """Accept a notice for the operator."""
    from crm.services import notices

    output.show(app, plain(app.write(lambda work: notices.accept(work, key, language))))
