"""Options that fill a record's fields: what is not given is not touched, `none` empties a field."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["text", "number", "flag", "list", "secret", "file", "pairs", "secrets"]
NONE = "none"


@dataclass(frozen=True, slots=True)
class Field:
    """``option`` without dashes; ``name`` is the service's field where it differs."""

    option: str
    help: str
    kind: Kind = "text"
    name: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False

    @property
    def key(self) -> str:
        return self.name or self.option.replace("-", "_")

    @property
    def parameter(self) -> str:
        return f"field_{self.key}"


class _Number(click.ParamType[Any]):
    """A whole number, or `none` for no limit."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or value == NONE:
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"“{value}” is not a whole number", param, ctx)


def options(fields: Sequence[Field], *, adding: bool) -> Callable[[F], F]:
    """Give a command an option for each field; only when adding some are required."""

    def decorate(command: F) -> F:
        for field in reversed(fields):
            command = _option(field, adding)(command)
        return command

    return decorate


def given(fields: Sequence[Field], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given, by the service's names."""
    found = {}
    for field in fields:
        value = parameters.get(field.parameter)
        if value is None or value == ():
            continue
        found[field.key] = _value(field, value)
    return found


def _value(field: Field, value: Any) -> Any:
    if field.kind == "secret":
        return read_secret(value)
    if field.kind == "file":
        return value.read()
    if field.kind in ("pairs", "secrets"):
        return _pairs(value, hidden=field.kind == "secrets")
    if field.kind == "list":
        return [] if tuple(value) == (NONE,) else list(value)
    return None if value == NONE and not field.choices else value


def _pairs(given: Sequence[str], *, hidden: bool) -> dict[str, Any]:
    """name=value, each value as JSON where it is some; of secrets name=FILE, as others see a command line."""
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise click.UsageError(f"“{each}” is not NAME=VALUE", click.get_current_context())
        found[name] = _secret_in(value) if hidden else _read_value(value)
    return found


def _secret_in(path: str) -> str:
    with click.open_file(path) as source:
        return read_secret(source)


def _read_value(text: str) -> Any:
    if text == NONE:
        return None
    try:
        return json.loads(text) if not text.isdigit() or not text.startswith("0") else text
    except ValueError:
        return text


def read_secret(source: Any) -> str:
    """The first line of a file; typed unseen where the file is `-` and somebody sits there."""
    if source is sys.stdin and sys.stdin.isatty():
        return str(click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True))
    return str(source.readline()).rstrip("\r\n")


def _option(field: Field, adding: bool) -> Callable[[F], F]:
    names = [f"--{field.option}", field.parameter]
    required = field.required and adding
    if field.kind == "flag":
        return click.option(f"--{field.option}/--no-{field.option}", field.parameter, default=None, help=field.help)
    if field.kind == "number":
        return click.option(*names, type=_Number(), required=required, help=field.help)
    if field.kind in ("pairs", "secrets"):
        metavar = "NAME=FILE" if field.kind == "secrets" else "NAME=VALUE"
        return click.option(*names, multiple=True, metavar=metavar, help=f"{field.help} May be given several times.")
    if field.kind == "list":
        return click.option(*names, multiple=True, help=f"{field.help} May be given several times; none for empty.")
    if field.kind == "file":
        text = click.File("r", encoding="utf-8", errors="surrogateescape")  # what is no text is refused as such
        return click.option(*names, type=text, required=required, help=f"{field.help} A file; - reads the input.")
    if field.kind == "secret":
        return click.option(*names, type=click.File("r"), help=f"{field.help} A file; - reads or asks for it.")
    kind = click.Choice(field.choices) if field.choices else None
    return click.option(*names, type=kind, required=required, help=field.help)
