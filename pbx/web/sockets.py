"""The websockets that are open, so that a stop can close them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

SOCKETS: web.AppKey[Any] = web.AppKey("sockets")
