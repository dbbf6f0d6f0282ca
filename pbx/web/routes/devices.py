"""Phones of users: SIP phones and browsers, registered or not."""

from __future__ import annotations

from typing import Any

import segno
from pydantic import Field

from crm.records import Device, as_dict
from crm.services import devices
from crm.unit_of_work import UnitOfWork
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Answer, Listed
from pbx.web.wire.people_of_ours import DeviceChange, DeviceQuery, DeviceView, DeviceWithSecret, NewDevice

table = Table("devices")


class DeviceAnswer(DeviceView):  # type: ignore[misc, valid-type]
    """A phone, and how many places it is registered from now."""

    bindings: int


class DeviceSetup(Answer):
    sip_server: str
    port: int
    transport: str
    user: str
    uri: str
    qr_svg: str = Field(description="The URI as a QR code.")


@table.route("GET", "/devices", right=Right.REP, scope="admin:read", answer=Listed[DeviceAnswer])
async def list_devices(ctx: Ctx, query: DeviceQuery) -> Any:
    """All phones, or one user's; reps see their own."""
    user = query.user if ctx.who.sees_all else ctx.who.id
    if user == ctx.who.user.email:
        user = ctx.who.id
    if query.user not in (None, ctx.who.id, ctx.who.user.email) and not ctx.who.sees_all:
        raise forbidden("You may see your own phones.")
    async with ctx.engine.store.read() as session:
        found = await devices.list_all(session, user)
    return {"items": [_shown(ctx, device) for device in found]}


@table.route(
    "POST", "/devices", right=Right.REP, scope="admin:write", answer=DeviceWithSecret, status=201, errors=(404, 422)
)
async def add_device(ctx: Ctx, body: NewDevice) -> Any:
    """Add a phone to a user: admins to everybody, others to themselves. The secret is shown this once."""
    if body.user not in (ctx.who.id, ctx.who.user.email) and not ctx.who.is_admin:
        raise forbidden("You may add phones of your own. Ask an admin for those of others.")
    async with ctx.engine.store.write(ctx.actor) as work:
        return _with_secret(ctx, await devices.add(work, body.given()))


@table.route("GET", "/devices/{device}", right=Right.REP, scope="admin:read", answer=DeviceAnswer, errors=(404,))
async def show_device(ctx: Ctx) -> Any:
    """One phone."""
    return _shown(ctx, await _device(ctx))


@table.route("GET", "/devices/{device}/setup", right=Right.REP, scope="admin:read", answer=DeviceSetup, errors=(404,))
async def show_device_setup(ctx: Ctx) -> Any:
    """What to enter into the phone, and the same as a picture that it may scan. The secret was shown when it was made;
    make a new one where it is lost."""
    sip = _sip(ctx, await _device(ctx))
    uri = _uri(sip)
    parts = {name: sip[name] for name in ("port", "transport", "user")}
    return {"sip_server": sip["server"], **parts, "uri": uri, "qr_svg": _picture(uri)}


async def _device(ctx: Ctx) -> Device:
    """Reps get at their own."""
    async with ctx.engine.store.read() as session:
        device = await devices.show(session, ctx.path("device"))
    if not ctx.who.sees_all and device.user_id != ctx.who.id:
        raise forbidden("This phone is somebody else's.")
    return device


@table.route("PATCH", "/devices/{device}", right=Right.REP, scope="admin:write", answer=DeviceView, errors=(404, 422))
async def change_device(ctx: Ctx, body: DeviceChange) -> Any:
    """Rename a phone, switch it on or off."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await _check_kept_by(ctx, work)
        return await devices.change(work, ctx.path("device"), body.given())


@table.route(
    "POST", "/devices/{device}/secret", right=Right.REP, scope="admin:write", answer=DeviceWithSecret, errors=(404,)
)
async def renew_device_secret(ctx: Ctx) -> Any:
    """Make a new secret; the old one is worth nothing from now on."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await _check_kept_by(ctx, work)
        return _with_secret(ctx, await devices.renew_secret(work, ctx.path("device")))


@table.route("DELETE", "/devices/{device}", right=Right.REP, scope="admin:write", status=204, errors=(404,))
async def remove_device(ctx: Ctx) -> None:
    """Remove a phone."""
    async with ctx.engine.store.write(ctx.actor) as work:
        await _check_kept_by(ctx, work)
        await devices.remove(work, ctx.path("device"))


async def _check_kept_by(ctx: Ctx, work: UnitOfWork) -> None:
    """Admins keep everybody's phones, users their own."""
    device = await devices.show(work.session, ctx.path("device"))
    if not ctx.who.is_admin and device.user_id != ctx.who.id:
        raise forbidden("This phone is somebody else's. Ask an admin to change it.")


def _shown(ctx: Ctx, device: Device) -> dict[str, Any]:
    return {**as_dict(device), "bindings": ctx.engine.registrations.registered().get(device.id, 0)}


def _with_secret(ctx: Ctx, made: devices.NewDevice) -> dict[str, Any]:
    return {"device": made.device, "secret": made.secret, "sip": _sip(ctx, made.device)}


def _sip(ctx: Ctx, device: Device) -> dict[str, Any]:
    """What to enter into the phone: it reaches us where this page does, unless a NAT lies between."""
    config = ctx.engine.config
    return {
        "user": device.id,
        "server": config.external_address or ctx.request.url.host or "",
        "port": config.sip_tls_port if device.transport == "tls" else config.sip_port,
        "transport": device.transport,
    }


def _uri(sip: dict[str, Any]) -> str:
    """RFC 3261, section 19.1."""
    host = f"[{sip['server']}]" if ":" in sip["server"] else sip["server"]
    return f"sip:{sip['user']}@{host}:{sip['port']};transport={sip['transport']}"


def _picture(text: str) -> str:
    return segno.make_qr(text).svg_inline(scale=4, border=2)
