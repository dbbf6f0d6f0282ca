"""What the database refuses, said as a sentence: the last word where two requests raced past a service's check."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crm.errors import Refused, conflict, printable, unavailable

_SENTENCES: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("numbers.user_id", "uq_numbers_user_id"): (
        "user_has_number",
        "This user already has a number. Take that one away first, or choose another user.",
        "user",
    ),
    ("numbers.e164", "pk_numbers"): (
        "number_exists",
        "This number is already there. Change it instead of adding it again.",
        "e164",
    ),
    ("uq_users_email",): (
        "email_taken",
        "Another user has this e-mail address already. Choose another one.",
        "email",
    ),
    ("trunks.name", "uq_trunks_name"): (
        "name_taken",
        "Another trunk has this name. Choose another one.",
        "name",
    ),
    ("rate_tables.name", "uq_rate_tables_name"): (
        "name_taken",
        "Another rate table has this name. Choose another one.",
        "name",
    ),
    ("scripts.name", "uq_scripts_name"): (
        "name_taken",
        "Another script has this name. Choose another one.",
        "name",
    ),
    ("groups.name", "uq_groups_name"): (
        "name_taken",
        "Another group has this name. Choose another one.",
        "name",
    ),
    ("outcomes.name", "uq_outcomes_name"): (
        "name_taken",
        "Another outcome has this name. Choose another one.",
        "name",
    ),
    ("outcomes.key", "uq_outcomes_key"): (
        "key_taken",
        "Another outcome has this key. Choose another digit, or take it from that one first.",
        "key",
    ),
}


_AWAY = ("locked", "busy", "disk", "readonly", "unable to open", "malformed", "not a database")
"""What SQLite says when it cannot work now; the rest of its operational errors (no such table) are faults of ours."""

_OURS = {"22", "42"}
"""Classes of PostgreSQL's SQLSTATE that blame the statement or its data, never the moment."""


def refusal_for(error: Exception) -> Refused | None:
    """The sentence for what the database reported; None for a fault of ours, which must be seen as one."""
    if isinstance(error, IntegrityError):
        return _integrity(str(error.orig))
    if isinstance(error, PoolTimeout | ConnectionError | TimeoutError):
        return unavailable("it does not answer")
    if isinstance(error, DBAPIError):
        return unavailable(_short(error.orig)) if _is_moment(error) else None
    return _of_the_driver(error)


def _of_the_driver(error: Exception) -> Refused | None:
    """As it comes where no SQLAlchemy is between: while it connects, and from :mod:`crm.direct`."""
    if type(error).__module__.startswith("asyncpg"):
        return unavailable(_short(error)) if _state_class(error) not in _OURS else None
    if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _AWAY):
        return unavailable(printable(str(error), 120))
    return None


def _is_moment(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = _state_class(error.orig)
    if state:
        return state not in _OURS
    if not isinstance(error, OperationalError):
        return isinstance(error, InterfaceError) and "closed" in str(error.orig)
    return any(word in str(error.orig) for word in _AWAY)


def _state_class(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or "")[:2]


def _short(error: BaseException | None) -> str:
    return printable(str(error).rpartition(">: ")[2].strip().rstrip("."), 120)


def _integrity(text: str) -> Refused:
    for names, (code, sentence, field) in _SENTENCES.items():
        if any(name in text for name in names):
            return conflict(code, sentence, field)
    if "foreign key" in text.lower():
        return conflict(
            "still_used", "Something else refers to this, or it is not there any more. Reload and try again."
        )
    return conflict("conflict", "Somebody else changed the same thing at the same time. Reload and try again.")
