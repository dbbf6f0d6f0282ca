"""The one error that people see: CLI, API and console all show its sentence.

Everything the store refuses is a :class:`Refused`. What the database itself reports (a unique constraint, a lock
that did not come free, a server that is away) is turned into one at the edge of the unit of work, so that nothing
outside ``crm`` has to know SQLAlchemy's exceptions.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class Refused(Exception):
    """A request that cannot be done. ``message`` is a full sentence that says what to do about it.

    ``code`` is a stable word for clients, ``field`` the input at fault (if one is), ``status`` the HTTP status that
    the API answers with.
    """

    def __init__(
        self, code: str, message: str, field: str | None = None, status: int = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = int(status)
        self.extra: dict[str, Any] = {}  # what else a client may want to know of it


def not_found(what: str, name: str) -> Refused:
    """``what`` as a reader knows it ("user"), ``name`` as it was asked for, shortened and made printable."""
    return Refused(
        "not_found",
        f"There is no {what} “{printable(name)}”. Check the spelling, or list what there is.",
        status=HTTPStatus.NOT_FOUND,
    )


def conflict(code: str, message: str, field: str | None = None) -> Refused:
    return Refused(code, message, field, HTTPStatus.CONFLICT)


def unavailable(why: str) -> Refused:
    """The store cannot answer now; the same request may be sent again."""
    return Refused(
        "store_unavailable",
        f"The database cannot be used at the moment ({why}). Try again in a few seconds.",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
    )


def printable(text: str, longest: int = 60) -> str:
    """A foreign text as it may stand inside a sentence: no controls, no direction overrides, not endless."""
    clean = "".join(character if character.isprintable() else "�" for character in text[: longest + 1])
    return clean if len(clean) <= longest else clean[:longest] + "…"
