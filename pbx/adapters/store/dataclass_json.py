"""Plain dataclasses to JSON and back, by their type hints: a field that is added or taken away later does no harm.

orjson writes dataclasses, enums and NewTypes as they are; here is what it leaves out (lengths of time, sets) and the
way back. A field that is missing gets its default, one that nobody knows is passed over.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

T = TypeVar("T")
Reader = Callable[[Any], Any]

_MICROSECOND = timedelta(microseconds=1)


def dumps(value: object) -> bytes:
    """Text from outside may hold half a surrogate pair, which orjson refuses: it is written as ``?``."""
    try:
        return orjson.dumps(value, default=_plain)
    except TypeError:
        return json.dumps(value, default=_plain, ensure_ascii=False).encode(errors="replace")


def read(kind: type[T], value: Any) -> T:
    """Raises KeyError, TypeError or ValueError where it is not what was written."""
    made: T = _reader(cast(Any, kind))(value)
    return made


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return str(value)


@cache
def _reader(kind: Any) -> Reader:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional(args)
    if origin is tuple:
        each = _reader(args[0])
        return lambda value: tuple(each(one) for one in value)
    if origin in (list, set, frozenset):
        each = _reader(args[0]) if _is_one(args[0]) else _as_it_is
        return lambda value: origin(each(one) for one in value)
    if origin is dict:
        key, item = _reader(args[0]), _reader(args[1])
        return lambda value: {key(name): item(one) for name, one in value.items()}
    return _simple(kind)


def _is_one(kind: Any) -> bool:
    """A union of many kinds cannot be read back; the one list of such is empty whenever a call is written."""
    return get_origin(kind) not in (Union, types.UnionType) or len(_but_none(get_args(kind))) == 1


def _simple(kind: Any) -> Reader:
    kind = getattr(kind, "__supertype__", kind)
    if not isinstance(kind, type) or kind is object:
        return _as_it_is
    if is_dataclass(kind):
        return _dataclass(kind)
    if kind is timedelta:
        return lambda value: timedelta(microseconds=value)
    return kind if issubclass(kind, Enum) else _as_it_is


def _optional(args: tuple[Any, ...]) -> Reader:
    """Several names of one plain kind are as good as that kind."""
    inner = {getattr(arg, "__supertype__", arg) for arg in _but_none(args)}
    if len(inner) != 1:
        raise TypeError(f"cannot tell which of {inner} a value is")
    reader = _reader(inner.pop())
    return lambda value: None if value is None else reader(value)


def _but_none(args: tuple[Any, ...]) -> list[Any]:
    return [arg for arg in args if arg is not type(None)]


def _dataclass(kind: type) -> Reader:
    hints: dict[str, Reader] = {}

    def read_fields(value: Any) -> Any:
        if not hints:  # on first use: a dataclass may hold itself
            hints.update({name: _reader(hint) for name, hint in get_type_hints(kind).items()})
        given = {name: reader(value[name]) for name, reader in hints.items() if name in value}
        return kind(**given)

    return read_fields


def _as_it_is(value: Any) -> Any:
    return value
