"""Who is it? Session cookie or bearer token, and that a browser was not tricked into asking (CSRF, Origin).

What the store said about a cookie or token is kept for a few seconds, and dropped when anything was changed: an API
that asks the database twice for every request would be twice as slow. While the database is away, whoever was
signed in lately still is, so that calls can be controlled through an outage.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from crm.errors import Refused
from crm.services import sessions, tokens
from crm.unit_of_work import SYSTEM, UnitOfWork
from pbx.web.declare import Right, Route
from pbx.web.engine import Engine
from pbx.web.principal import Principal
from pbx.web.problems import BadRequest

log = structlog.get_logger("web.auth")

COOKIE = "switchhook_session"
CSRF_HEADER = "X-CSRF-Token"
KEPT_S = 3.0
KEPT_IN_OUTAGE_S = 900.0
REMEMBERED = 10_000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    at_s: float
    revision: int


class Door:
    """Admits requests. One per application."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, request: web.Request, route: Route) -> Principal | None:
        """Whoever asks, or None where the route needs nobody. Raises 401 or 403."""
        if route.right is Right.PUBLIC:
            return None
        check_origin(request)
        if route.right is Right.OPERATOR and from_this_machine(request):
            return None
        principal = await self.identify(request)
        if principal is None:
            raise _login_required()
        if principal.session is not None and request.method not in _SAFE:
            _check_csrf(request, principal)
        principal.check(route)
        return principal

    async def identify(self, request: web.Request) -> Principal | None:
        """A bearer token goes before the cookie: a program that sends one means it."""
        header = request.headers.get("Authorization", "")
        if header:
            kind, _, secret = header.partition(" ")
            if kind.lower() != "bearer" or not secret.strip():
                raise _login_required()
            return await self._remembered(b"t" + _digest(secret.strip()), lambda: self._by_token(secret.strip()))
        cookie = request.cookies.get(COOKIE, "")
        if not cookie:
            return None
        return await self._remembered(b"c" + _digest(cookie), lambda: self._by_cookie(cookie))

    def forget(self) -> None:
        """Something about users, logins or tokens has changed: ask the store again."""
        self._known.clear()

    async def _remembered(self, key: bytes, ask: Callable[[], Awaitable[Principal | None]]) -> Principal | None:
        known, now = self._known.get(key), time.monotonic()
        revision = self._engine.directory.revision
        if known is not None and now - known.at_s < KEPT_S and known.revision == revision:
            return known.principal
        try:
            principal = await ask()
        except Refused as refused:
            if refused.status == 503 and known is not None and now - known.at_s < KEPT_IN_OUTAGE_S:
                return known.principal
            raise
        if principal is None:
            self._known.pop(key, None)
            return None
        self._known[key] = _Known(principal, now, revision)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _by_token(self, secret: str) -> Principal | None:
        async with self._engine.store.read() as session:
            found = await tokens.find(session, secret, self._engine.clock.now())
        if found is None:
            return None
        token, user = found
        if tokens.should_touch(token, self._engine.clock.now()):
            self._later(lambda work: tokens.touch(work, token.id))
        return Principal(user, token=token)

    async def _by_cookie(self, cookie: str) -> Principal | None:
        async with self._engine.store.read() as session:
            found = await sessions.find(session, cookie, self._engine.clock.now())
        if found is None:
            return None
        login, user = found
        if sessions.should_touch(login, self._engine.clock.now()):
            self._later(lambda work: sessions.touch(work, login.id))
        return Principal(user, session=login)

    def _later(self, write: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        """Note the use without keeping the request waiting; that it could not be noted hurts nobody."""

        async def run() -> None:
            try:
                async with self._engine.store.write(SYSTEM) as work:
                    await write(work)
            except Refused as refused:
                log.info("auth.use_not_noted", why=refused.message)

        task = asyncio.ensure_future(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


DOOR: web.AppKey[Door] = web.AppKey("door")


def check_origin(request: web.Request) -> None:
    """A page of another site may neither change anything nor open a websocket here. Programs send no Origin."""
    origin = request.headers.get("Origin")
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in _SAFE and not upgrade:
        return
    if origin is None:
        if upgrade and "Authorization" not in request.headers:
            raise BadRequest(403, "foreign_origin", "A browser must say where the page is from (Origin header).")
        return
    if not same_origin(origin, request.host):
        raise BadRequest(403, "foreign_origin", "This page is from another site. Open the console at its own address.")


def same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and parts.netloc.lower() == host.lower()


def from_this_machine(request: web.Request) -> bool:
    """A proxy on this machine speaks for others, and says so in its headers. A page that had its name rebound to
    this address asks for another host."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"))
    return not forwarded and is_loopback(request.remote or "") and is_loopback(host_name(request))


def host_name(request: web.Request) -> str:
    """The host that was asked for, without its port."""
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_csrf(request: web.Request, principal: Principal) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    expected = principal.session.csrf if principal.session else ""
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode()):
        raise BadRequest(
            403,
            "csrf_token_missing",
            f"The {CSRF_HEADER} header is missing or not that of this login. GET /api/v1/session tells it.",
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _login_required() -> BadRequest:
    problem = BadRequest(401, "login_required", "Sign in, or send an API token, to do this.")
    problem.headers["WWW-Authenticate"] = 'Bearer realm="switchhook"'
    return problem
