"""Who can be reached now, and whether a number may be called."""

from __future__ import annotations

from typing import Any

from crm.errors import not_found
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Answer, Listed
from pbx.web.wire.calls import GateAnswer, GateQuestion, Presence

table = Table("now")


class Registration(Answer):
    device_id: str
    user_id: str
    name: str
    bindings: int


@table.route("GET", "/presence", right=Right.REP, scope="calls:read", answer=Listed[Presence])
async def list_presence(ctx: Ctx) -> Any:
    """Every user: offline, available, away or on a call."""
    return {"items": ctx.engine.hub.presence.all()}


@table.route("GET", "/registrations", right=Right.REP, scope="calls:read", answer=Listed[Registration])
async def list_registrations(ctx: Ctx) -> Any:
    """Which phones are registered; reps see their own."""
    bindings = ctx.engine.registrations.registered()
    shown = [
        {
            "device_id": device.id,
            "user_id": device.user_id,
            "name": device.name,
            "bindings": bindings.get(device.id, 0),
        }
        for device in ctx.engine.directory.devices.values()
        if ctx.who.sees_all or device.user_id == ctx.who.id
    ]
    return {"items": shown}


@table.route("POST", "/gate/check", right=Right.REP, scope="calls:read", answer=GateAnswer, errors=(404, 422))
async def check_gate(ctx: Ctx, body: GateQuestion) -> Any:
    """Whether a call to this number may leave now, and why not. Nothing is dialled."""
    user_id = body.user or ctx.who.id
    if user_id != ctx.who.id and not ctx.who.sees_all:
        raise forbidden("You may ask for yourself. Leave “user” out.")
    if user_id not in ctx.engine.directory.users:
        raise not_found("user", user_id)
    verdict = ctx.engine.gate.check(user_id, body.to, listed=body.listed)
    return {
        "allowed": verdict.allowed,
        "reason": verdict.reason.value,
        "detail": verdict.sentence,
        "caller_id": verdict.caller_id or None,
        "untimely": verdict.untimely.sentence if verdict.untimely else None,
        "not_before_us": verdict.untimely.not_before_us if verdict.untimely else None,
        "rule": (verdict.untimely.rule or None) if verdict.untimely else None,
    }
