"""The phone in the browser: one per login, and its SIP connection on our own origin."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from crm import passwords
from crm.records import LoginSession
from crm.services import browsers
from pbx.core.sip_frames import LARGEST
from pbx.web.auth import DOOR
from pbx.web.context import Ctx
from pbx.web.declare import API, Right, Table
from pbx.web.principal import forbidden
from pbx.web.problems import BadRequest
from pbx.web.sip_proxy import HEARTBEAT_S, PROTOCOL, SipProxies, SipProxy
from pbx.web.sockets import SOCKETS
from pbx.web.wire.base import Answer

table = Table("phone", prefix="")

PATH = "/sip"
PROXIES: web.AppKey[SipProxies] = web.AppKey("sip_proxies")


class IceServer(Answer):
    """As browsers want it (RTCIceServer)."""

    urls: str
    username: str | None = None
    credential: str | None = None


class SessionPhone(Answer):
    """All that a browser needs to be a phone."""

    device_id: str = Field(description="The SIP user name, too. It stays the same for as long as the login.")
    secret: str = Field(description="The SIP password. Shown this once; ask again for a new one.")
    domain: str = Field(description="Of the SIP address: sip:device_id@domain.")
    realm: str
    path: str = Field(description="Of the websocket (subprotocol sip), on this origin.")
    ice_servers: list[IceServer]
    expires_us: int = Field(description="When the login ends unless it is used, and the phone with it.")


def prepare(app: web.Application) -> None:
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    await app[PROXIES].close()


@table.route("POST", f"{API}/session/phone", right=Right.REP, scope=None, answer=SessionPhone, errors=(401, 409, 503))
async def open_phone(ctx: Ctx) -> dict[str, Any]:
    """The phone of this login: SIP user name and secret, shown once, and where to connect. Asking again gives the
    same phone a new secret; the old one is worth nothing from then on."""
    login = _login(ctx)
    async with ctx.engine.store.write(ctx.actor) as work:
        made = await browsers.renew(work, login.id)
    await ctx.engine.browsers.until_known(made.device)
    return {
        "device_id": made.device.id,
        "secret": made.secret,
        "domain": passwords.REALM,
        "realm": passwords.REALM,
        "path": PATH,
        "ice_servers": ctx.engine.directory.settings["webrtc.ice_servers"],
        "expires_us": login.expires_us,
    }


@table.route("POST", f"{API}/session/phone/leaving", right=Right.REP, scope=None, status=204)
async def leave_page(ctx: Ctx) -> None:
    """The page with this login's phone goes away: its calls wait for the next one, which is rung at once. Ask on
    the event pagehide, with fetch and keepalive: unlike a beacon it can carry the CSRF token."""
    device = ctx.engine.browsers.of_login(_login(ctx).id)
    if device is not None:
        ctx.engine.reloads.left(device.id)


@table.route("GET", PATH, right=Right.REP, scope=None, raw="application/sip", errors=(400, 409, 426, 503))
async def connect_phone(ctx: Ctx) -> web.StreamResponse:
    """A websocket that speaks SIP (RFC 7118, subprotocol sip) for the phone of this login. It is closed with 4401 when
    the login ends, 4403 when a message names another phone or is no SIP, 4409 when newer pages have the phone, 1009
    for a message that is too large, 1012 when the telephone system went away and 1013 when it is read too slowly."""
    login = _login(ctx)
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S, compress=False, max_msg_size=LARGEST, protocols=(PROTOCOL,), writer_limit=LARGEST
    )
    _check_asked_rightly(ctx, socket)
    device = ctx.engine.browsers.of_login(login.id)
    if device is None:
        raise BadRequest(409, "no_phone", "This login has no phone yet. Ask for it with POST /api/v1/session/phone.")
    switch = await ctx.request.app[PROXIES].connect(device.id)
    try:
        await socket.prepare(ctx.request)
    except BaseException:
        await switch.close()
        raise
    await _run(ctx, socket, SipProxy(socket, switch, device.id, lambda: _still_in(ctx), lambda: _cut(ctx)), login.id)
    return socket


async def _run(ctx: Ctx, socket: web.WebSocketResponse, proxy: SipProxy, login: str) -> None:
    sockets = ctx.request.app[SOCKETS]
    sockets.add(socket)
    try:
        await ctx.request.app[PROXIES].run(proxy, login)
    finally:
        sockets.discard(socket)


def _check_asked_rightly(ctx: Ctx, socket: web.WebSocketResponse) -> None:
    if not socket.can_prepare(ctx.request).ok:
        problem = BadRequest(426, "websocket_wanted", "This address is a websocket. Open it as one.")
        problem.headers["Upgrade"] = "websocket"
        raise problem
    offered = ctx.request.headers.get("Sec-WebSocket-Protocol", "")
    if PROTOCOL not in [name.strip() for name in offered.split(",")]:
        raise BadRequest(400, "no_sip", "This websocket speaks SIP. Open it with the subprotocol “sip”.")


async def _still_in(ctx: Ctx) -> bool:
    now = await ctx.request.app[DOOR].identify(ctx.request)
    return now is not None


def _cut(ctx: Ctx) -> None:
    if ctx.request.transport is not None:
        ctx.request.transport.abort()


def _login(ctx: Ctx) -> LoginSession:
    if ctx.who.session is None:
        raise forbidden("Only a browser that is signed in has a phone of its own.")
    return ctx.who.session
