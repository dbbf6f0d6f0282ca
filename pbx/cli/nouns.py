"""add, list, show, change, remove for one kind of record: the same shape for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.fields import Field, given, options

if TYPE_CHECKING:
    from crm.unit_of_work import UnitOfWork

F = TypeVar("F", bound=Callable[..., Any])
SECRET_NOTE = "The secret is shown this once. Keep it now."


@dataclass(frozen=True, slots=True)
class Noun:
    """``service`` is a module of crm.services; ``ref`` says how one record is named on the command line."""

    name: str
    help: str
    service: str
    ref: str
    columns: tuple[str, ...]
    add: tuple[Field, ...]
    change: tuple[Field, ...]
    filters: tuple[Field, ...] = ()
    paged: bool = False
    notice: str = ""
    """Of crm.notices, where what is added or changed may wait for its being accepted."""
    nets: bool = False
    """It is an address to be called: the service asks which networks of the house it may lead to."""
    removed: Callable[[App, Any], None] | None = None
    """Takes away what stood outside of the store."""

    def module(self) -> ModuleType:
        return import_module(f"crm.services.{self.service}")


def group(noun: Noun) -> click.Group:
    """The group with its five commands."""
    made = click.Group(noun.name, help=noun.help)
    for command in (_add(noun), _list(noun), _show(noun), _change(noun), _remove(noun)):
        made.add_command(command)
    return made


def notice_option(key: str) -> Callable[[F], F]:
    """`--accept-notice`, given to :func:`accepting`; nothing where no notice is in question."""
    if not key:
        return lambda command: command
    return click.option("--accept-notice", is_flag=True, help=f"Accept the notice “{key}” (see “pbx notice list”).")


async def accepting(work: UnitOfWork, key: str, parameters: Mapping[str, Any]) -> None:
    """Accept the notice in the same transaction, where that was asked for."""
    from crm.services import notices

    if parameters.get("accept_notice"):
        await notices.accept(work, key)


def plain(record: Any) -> dict[str, Any]:
    """A record as it is printed; what is given out once with its secret is one flat record."""
    from crm.records import as_dict

    for part in ("device", "token", "webhook"):
        if hasattr(record, part) and hasattr(record, "secret"):
            return {**as_dict(getattr(record, part)), "secret": record.secret}
    return as_dict(record)


def show(app: App, record: Any) -> None:
    row = plain(record)
    output.show(app, row, secret=SECRET_NOTE if "secret" in row else None)


def _nets(app: App, noun: Noun) -> tuple[Any, ...]:
    from crm.web_addresses import read_nets

    return (read_nets(app.config.outgoing_nets),) if noun.nets else ()


def _add(noun: Noun) -> click.Command:
    @click.command("add", help=f"Add a {noun.name}.")
    @options(noun.add, adding=True)
    @notice_option(noun.notice)
    @json_option
    @click.pass_obj
    def add(app: App, /, **parameters: Any) -> None:
        values = given(noun.add, parameters)

        async def do(work: UnitOfWork) -> Any:
            await accepting(work, noun.notice, parameters)
            return await noun.module().add(work, values, *_nets(app, noun))

        show(app, app.write(do))

    return add


def _list(noun: Noun) -> click.Command:
    @click.command("list", help=f"List every {noun.name}.")
    @options(noun.filters, adding=False)
    @json_option
    @click.pass_obj
    def list_all(app: App, /, **parameters: Any) -> None:
        wanted = given(noun.filters, parameters)
        found = app.read(lambda session: noun.module().list_all(session, **wanted))
        if noun.paged:
            return output.page(app, [plain(item) for item in found.items], noun.columns, found.next_cursor)
        output.table(app, [plain(item) for item in found], noun.columns)

    return list_all


def _show(noun: Noun) -> click.Command:
    @click.command("show", help=f"Show one {noun.name}.")
    @click.argument("ref", metavar=noun.ref)
    @json_option
    @click.pass_obj
    def show_one(app: App, ref: str) -> None:
        show(app, app.read(lambda session: noun.module().show(session, ref)))

    return show_one


def _change(noun: Noun) -> click.Command:
    @click.command("change", help=f"Change a {noun.name}; the next call uses it. Only what is given changes.")
    @click.argument("ref", metavar=noun.ref)
    @options(noun.change, adding=False)
    @notice_option(noun.notice)
    @json_option
    @click.pass_obj
    def change(app: App, /, ref: str, **parameters: Any) -> None:
        values = given(noun.change, parameters)
        if not values:
            raise click.UsageError("Nothing to change was given", click.get_current_context())

        async def do(work: UnitOfWork) -> Any:
            await accepting(work, noun.notice, parameters)
            return await noun.module().change(work, ref, values, *_nets(app, noun))

        show(app, app.write(do))

    return change


def _remove(noun: Noun) -> click.Command:
    @click.command("remove", help=f"Remove a {noun.name}; calls that run go on.")
    @click.argument("ref", metavar=noun.ref)
    @json_option
    @click.pass_obj
    def remove(app: App, ref: str) -> None:
        gone = app.write(lambda work: noun.module().remove(work, ref))
        if noun.removed is not None:
            noun.removed(app, gone)
        if app.as_json:
            return output.dump(plain(gone))
        click.echo("Removed.")

    return remove
