"""Routes as declarations: address, right, scope, body, answer and errors in one place, for dispatch and OpenAPI alike.

A handler is a function ``async def name(ctx, body: Model, query: Model)``; ``body`` and ``query`` are asked for by
naming them, and read and checked before the handler runs. A route that declares no right cannot be written down, and
an application that holds an undeclared one does not start (:func:`pbx.web.app.make_app`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from crm.services.tokens import SCOPES

if TYPE_CHECKING:
    from pbx.web.context import Ctx

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)
API = "/api/v1"


class Right(StrEnum):
    """Who may use a route at all. What a rep may see of it is decided by the handler, object by object."""

    PUBLIC = "public"
    OPERATOR = "operator"  # from this machine itself, or an admin's login or token
    REP = "rep"  # every signed-in user
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """``scope`` None: no API token may use it. ``errors`` are those besides what every route may answer."""

    method: str
    path: str
    handler: Handler
    right: Right
    scope: str | None
    summary: str
    tag: str
    answer: Any
    status: int
    errors: tuple[int, ...]
    idempotent: bool
    raw: str | None
    takes: str | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def described(self) -> bool:
        """Whether it is part of the API: the console's own addresses are a pattern that is none."""
        return ":" not in self.path

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


class Table:
    """The routes of one part of the API."""

    def __init__(self, tag: str, prefix: str = API) -> None:
        self.tag = tag
        self._prefix = prefix
        self.routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    def route(
        self,
        method: str,
        path: str,
        *,
        right: Right,
        scope: str | None,
        answer: Any = None,
        status: int = 200,
        errors: tuple[int, ...] = (),
        idempotent: bool = False,
        raw: str | None = None,
        takes: str | None = None,
    ) -> Callable[[H], H]:
        """Declare a handler. ``answer`` is the model of what it gives back (with status 101, of a websocket's
        messages), ``raw`` the media type where it answers itself, ``takes`` that of a body that it reads itself;
        ``idempotent`` routes honour the header Idempotency-Key."""
        if scope is not None and scope not in SCOPES:
            raise ValueError(f"{method} {path}: no such scope: {scope}")

        def declare(handler: H) -> H:
            hints = get_type_hints(handler)
            names = inspect.signature(handler).parameters
            self.routes.append(
                Route(
                    method,
                    self._prefix + path,
                    handler,
                    right,
                    scope,
                    (inspect.getdoc(handler) or "").strip(),
                    self.tag,
                    answer,
                    status,
                    errors,
                    idempotent,
                    raw,
                    takes,
                    hints["body"] if "body" in names else None,
                    hints["query"] if "query" in names else None,
                )
            )
            return handler

        return declare


class UndeclaredRoute(Exception):
    """A route without a declaration: nobody has said who may use it."""


ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes")


async def call_handler(route: Route, ctx: Ctx) -> Any:
    """Run a handler with what it asked for by name."""
    wanted: dict[str, BaseModel] = {}
    if route.query is not None:
        wanted["query"] = ctx.read_query(route.query)
    if route.body is not None:
        wanted["body"] = await ctx.read_body(route.body)
    return await route.handler(ctx, **wanted)
