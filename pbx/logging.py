"""Structured logs: one JSON line per event, with the ids of call and request, without secrets and without numbers.

What a field may show is decided by its name, once, here: secrets never, telephone numbers only at debug (elsewhere
the last two digits are enough to tell calls apart). Logs of libraries go the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

_SECRET = re.compile(r"secret|passw|token|cookie|csrf|authori[sz]ation|ha1|api_key|digest", re.IGNORECASE)
_NUMBER = re.compile(r"number|customer|caller|dialled|forward|e164|exten|^did$|^to$|^from$", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d{5,}")
_QUIET = ("aiosqlite", "sqlalchemy", "asyncio", "panoramisk", "aiohttp.access", "alembic")


def configure(level: str = "info", form: str = "json", stream: TextIO | None = None) -> None:
    """``form`` is json or console. Takes effect for every logger, structlog's and the standard library's."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        guard_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    renderer: Any = structlog.dev.ConsoleRenderer() if form == "console" else JsonLine()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class JsonLine:
    """One line of JSON; what JSON cannot hold is written as text."""

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> str:
        try:
            return orjson.dumps(event, default=str).decode()
        except TypeError:
            return orjson.dumps({key: ascii(value) for key, value in event.items()}).decode()


def guard_fields(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Take out what must not stand in a log."""
    return _guarded(event, masking=event.get("level") != "debug")


def _guarded(fields: MutableMapping[str, Any], masking: bool) -> dict[str, Any]:
    return {name: _shown(name, value, masking) for name, value in fields.items()}


def _shown(name: str, value: Any, masking: bool) -> Any:
    if isinstance(value, MutableMapping):
        return _guarded(value, masking)
    if _SECRET.search(name):
        return "***"
    if masking and isinstance(value, str) and _NUMBER.search(name):
        return _DIGITS.sub(lambda found: "…" + found.group()[-2:], value)
    return value
