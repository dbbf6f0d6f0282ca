"""What goes back: records without their secrets, pages, and plain values, as JSON, in the reader's language."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel

from crm import languages
from crm.paging import Page
from crm.records import as_dict
from pbx.services.displays import with_displays

_SAID = frozenset({"condition", "detail", "message", "problem", "problems", "remedy", "sentence", "why"})
"""Fields that may hold a sentence of the engine's."""
_SAID_OF = {"segments": {"reason"}, "destroyed": {"notes"}}
"""Others that do in what has this field, a text or an erasure; elsewhere they are somebody's own words."""


def _plain(value: Any) -> Any:
    """Dataclasses never go through orjson itself, which would send their secrets along."""
    if isinstance(value, Page):
        return {"items": value.items, "next_cursor": value.next_cursor}
    if hasattr(value, "__dataclass_fields__"):
        return as_dict(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    return str(value)


def encode(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def json(value: Any, status: int = 200, *, home: str, language: str) -> web.Response:
    """``home`` is the country whose numbers are written as at home."""
    if status == 204:
        return web.Response(status=204)
    shown = with_displays(value, home, _plain)
    body = encode(said(shown, language) if language != languages.WRITTEN_IN else shown)
    return web.Response(status=status, body=body, content_type="application/json")


def said(value: Any, language: str) -> Any:
    """The same with the engine's sentences in this language, however deep. Somebody's own words stay as they are."""
    if isinstance(value, dict):
        spoken = _SAID.union(*(names for field, names in _SAID_OF.items() if field in value))
        return {name: _said(each, language) if name in spoken else said(each, language) for name, each in value.items()}
    return [said(each, language) for each in value] if isinstance(value, list) else value


def _said(value: Any, language: str) -> Any:
    if isinstance(value, list):
        return [_said(each, language) for each in value]
    return languages.say(value, language) if isinstance(value, str) else said(value, language)
