"""The application: every declared route, one guard before all of them, and nothing that was not declared."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web

from crm import ids
from crm.errors import Refused
from pbx.web import problems, replies
from pbx.web.auth import DOOR, Door
from pbx.web.context import Ctx
from pbx.web.declare import ROUTES, Route, UndeclaredRoute, call_handler
from pbx.web.engine import ENGINE, Engine
from pbx.web.idempotency import Once
from pbx.web.principal import Principal
from pbx.web.problems import BadRequest
from pbx.web.routes import TABLES, description, phone, session
from pbx.web.sip_proxy import SipProxies
from pbx.web.sockets import SOCKETS
from pbx.web.uploads import UNDER_WAY, Uploads

log = structlog.get_logger("web")

LARGEST_BODY = 256 * 1024
ONCE: web.AppKey[Once] = web.AppKey("once")
REQUEST_ID = web.RequestKey("request_id", str)
PRINCIPAL: web.RequestKey[Principal | None] = web.RequestKey("principal")
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; media-src 'self' blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


def make_app(engine: Engine) -> web.Application:
    """Raises UndeclaredRoute if anything is served without a declared right."""
    app = web.Application(middlewares=[guard], client_max_size=LARGEST_BODY)
    app[ENGINE], app[DOOR], app[ONCE], app[SOCKETS] = engine, Door(engine), Once(), set()
    app[UNDER_WAY] = Uploads(list)
    declared: dict[web.AbstractRoute, Route] = {}
    app[ROUTES] = declared
    for table in TABLES:
        for route in table:
            declared[app.router.add_route(route.method, route.path, _serve(route))] = route
    app[phone.PROXIES] = SipProxies(engine)
    session.prepare(app)
    description.prepare(app)
    phone.prepare(app)
    app.on_startup.append(_check_declared)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_close_sockets)
    app.on_cleanup.append(_close_door)
    return app


async def _check_declared(app: web.Application) -> None:
    for route in app.router.routes():
        if route not in app[ROUTES]:
            raise UndeclaredRoute(f"{route.method} {route.resource} is served, but nobody declared who may use it")


@web.middleware
async def guard(request: web.Request, handler: Serve) -> web.StreamResponse:
    """Before every request: may it be made at all? After it: whatever went wrong is told as a problem."""
    began = time.perf_counter()
    request_id = request[REQUEST_ID] = f"req_{ids.ulid()}"
    route = request.app[ROUTES].get(request.match_info.route)
    with structlog.contextvars.bound_contextvars(request=request_id):
        try:
            if route is not None:
                request[PRINCIPAL] = await request.app[DOOR].admit(request, route)
            elif request.match_info.http_exception is None:
                raise BadRequest(403, "forbidden", "Nobody has said who may use this address.")
            response = await handler(request)
        except web.HTTPException as error:
            allow = error.headers.get("Allow")
            problem = problems.from_status(error.status)
            response = problems.response(problem, request, request_id, {"Allow": allow} if allow else None)
        except BadRequest as problem:
            response = problems.response(problem, request, request_id)
        except Refused as refused:
            response = problems.response(problems.from_refused(refused), request, request_id)
        except ConnectionError:
            raise
        except Exception:
            log.exception("web.failed", route=route.path if route else "", method=request.method)
            response = problems.response(problems.from_status(500), request, request_id)
    request.app[ENGINE].metrics.request_served(
        request.method, route.path if route else "", response.status, time.perf_counter() - began
    )
    return response


def _serve(route: Route) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        ctx = Ctx(request, request[PRINCIPAL])
        if route.idempotent:
            return await request.app[ONCE].run(ctx, lambda ctx: _answer_whole(route, ctx))
        return await _answer(route, ctx)

    return serve


async def _answer_whole(route: Route, ctx: Ctx) -> web.Response:
    """An answer that can be kept: refusals too, unless they mean that it may be tried again."""
    try:
        result = await _answer(route, ctx)
    except Refused as refused:
        problem = problems.from_refused(refused, call_id=ctx.call_id if route.tag == "calls" else None)
        result = problems.response(problem, ctx.request, ctx.request[REQUEST_ID])
    except BadRequest as problem:
        result = problems.response(problem, ctx.request, ctx.request[REQUEST_ID])
    assert isinstance(result, web.Response)
    return result


async def _answer(route: Route, ctx: Ctx) -> web.StreamResponse:
    result = await call_handler(route, ctx)
    await ctx.engine.changes.in_effect()
    if isinstance(result, web.StreamResponse):
        return result
    return replies.json(result, route.status, home=ctx.home, language=ctx.reader)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers.pop("Server", None)


async def _close_sockets(app: web.Application) -> None:
    for socket in tuple(app[SOCKETS]):
        await socket.close(code=1001, message=b"The engine is stopping.")


async def _close_door(app: web.Application) -> None:
    await app[DOOR].close()
