"""What goes back: records without their secrets, pages, and plain values, as JSON."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel

from crm.paging import Page
from crm.records import as_dict
from pbx.services.displays import with_displays


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


def json(value: Any, status: int = 200, *, home: str) -> web.Response:
    """``home`` is the country whose numbers are written as at home."""
    if status == 204:
        return web.Response(status=204)
    body = encode(with_displays(value, home, _plain))
    return web.Response(status=status, body=body, content_type="application/json")
