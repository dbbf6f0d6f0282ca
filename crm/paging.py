"""Cursors: where a page of a list ended, as a text that clients hand back unread.

A list is ordered by a number (time, sequence) and an id, newest first; the next page begins after both. Unlike an
offset it costs the same however far one has gone, and rows that arrive meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from crm.errors import Refused

Item = TypeVar("Item")
LARGEST_PAGE = 500
_BIGGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """``next_cursor`` is None on the last page."""

    items: list[Item]
    next_cursor: str | None


def encode(number: int, name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([number, name]).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> tuple[int, str] | None:
    """Raises Refused for a cursor that is none of ours."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number, name = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, UnicodeError, binascii.Error, RecursionError):
        number = name = None
    if type(number) is not int or not isinstance(name, str) or not 0 <= number <= _BIGGEST or not name.isprintable():
        raise Refused("bad_cursor", "This cursor is not one of ours. Start again from the first page.", "cursor")
    return number, name


def checked_limit(limit: int) -> int:
    if type(limit) is not int or not 1 <= limit <= LARGEST_PAGE:
        raise Refused("bad_limit", f"The limit must be a whole number from 1 to {LARGEST_PAGE}.", "limit")
    return limit


def page_of(rows: Sequence[Item], limit: int, key: Callable[[Item], tuple[int, str]]) -> Page[Item]:
    """Make a page of rows that were asked for with ``limit + 1``: the one too many says that there are more."""
    items = list(rows[:limit])
    return Page(items, encode(*key(items[-1])) if len(rows) > limit else None)
