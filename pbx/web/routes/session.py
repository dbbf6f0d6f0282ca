"""Signing in and out, and one's own settings."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web
from pydantic import Field

from crm.errors import Refused
from crm.services import numbers, sessions, users
from crm.unit_of_work import Actor
from pbx.core.events import Direction
from pbx.services.persons import recording_plan
from pbx.web import replies
from pbx.web.auth import COOKIE, check_origin, host_name, is_loopback
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.engine import ENGINE
from pbx.web.principal import Principal
from pbx.web.problems import BadRequest
from pbx.web.throttle import LoginThrottle
from pbx.web.wire.base import Answer, Body, Listed
from pbx.web.wire.people_of_ours import LoginView, NumberView, OwnSettings, PasswordChange, UserView

table = Table("session")

_THROTTLE: web.AppKey[LoginThrottle] = web.AppKey("throttle")
_AT_ONCE: web.AppKey[asyncio.Semaphore] = web.AppKey("sign_ins_at_once")


class SignIn(Body):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1_000)


class SessionAnswer(Answer):
    user: UserView  # type: ignore[valid-type]
    csrf: str | None = Field(description="Send it as X-CSRF-Token with every change; null for API tokens.")
    scopes: list[str] | None = Field(description="Of the API token that asked; null for a login.")


class OwnRecording(Answer):
    """Which calls of yours are recorded, and what is told and kept (S8, C12)."""

    directions: list[str] = Field(description="Empty: none is recorded.")
    announcement: bool = Field(description="The parties are told at the beginning.")
    private_words: bool = Field(description="What users say while the customer is on hold is kept.")


def prepare(app: web.Application) -> None:
    app[_THROTTLE] = LoginThrottle(time.monotonic, app[ENGINE].blocking.guessed)
    app[_AT_ONCE] = asyncio.Semaphore(2)  # each costs a processor a few hundredths of a second; calls go first


@table.route("POST", "/session", right=Right.PUBLIC, scope=None, answer=SessionAnswer, errors=(401, 403, 429))
async def sign_in(ctx: Ctx, body: SignIn) -> web.Response:
    """Sign in: the answer sets the session cookie."""
    check_origin(ctx.request)
    app, address = ctx.request.app, ctx.request.remote or ""
    _check_block(ctx, address)
    app[_THROTTLE].check(body.email, address)
    async with app[_AT_ONCE]:
        app[_THROTTLE].check(body.email, address)
        try:
            async with ctx.engine.store.read() as session:
                user = await users.sign_in(session, body.email, body.password)
        except Refused as refused:
            if refused.status == 401:
                app[_THROTTLE].wrong(body.email, address)
            raise
    app[_THROTTLE].right(body.email, address)
    async with ctx.engine.store.write(Actor("user", user.id, user.name, user.role)) as work:
        opened = await sessions.open(work, user.id, address=address, agent=ctx.request.headers.get("User-Agent", ""))
    response = replies.json(_session(Principal(user, session=opened.session)), home=ctx.home, language=ctx.reader)
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=sessions.LIFETIME_S,
        httponly=True,
        samesite="Strict",
        secure=not is_loopback(host_name(ctx.request)),
        path="/",
    )
    return response


@table.route("GET", "/session", right=Right.REP, scope="calls:read", answer=SessionAnswer)
async def show_session(ctx: Ctx) -> dict[str, Any]:
    """Who is signed in, and the CSRF token."""
    return _session(ctx.who)


@table.route("DELETE", "/session", right=Right.REP, scope=None, status=204)
async def sign_out(ctx: Ctx) -> web.Response:
    """Sign out: the cookie is worth nothing from now on."""
    if ctx.who.session is not None:
        async with ctx.engine.store.write(ctx.actor) as work:
            await sessions.close(work, ctx.who.session.id)
    ctx.accounts_changed()
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


@table.route("GET", "/me", right=Right.REP, scope="calls:read", answer=UserView)
async def show_me(ctx: Ctx) -> Any:
    """Your own settings."""
    async with ctx.engine.store.read() as session:
        return await users.show(session, ctx.who.id)


@table.route("PATCH", "/me", right=Right.REP, scope="calls:write", answer=UserView, errors=(422,))
async def change_me(ctx: Ctx, body: OwnSettings) -> Any:
    """Change your own settings; the forwarding number holds from the next call on."""
    async with ctx.engine.store.write(ctx.actor) as work:
        changed = await users.change_own(work, ctx.who.id, body.given())
    ctx.accounts_changed()
    return changed


@table.route("GET", "/me/number", right=Right.REP, scope="calls:read", answer=NumberView, errors=(404,))
async def show_my_number(ctx: Ctx) -> Any:
    """Your own number, and what it carries (N3)."""
    async with ctx.engine.store.read() as session:
        user = await users.show(session, ctx.who.id)
        if user.number is None:
            raise Refused("no_number", "You have no number yet. Ask an admin for one.", status=404)
        return await numbers.show(session, user.number)


@table.route("GET", "/me/recording", right=Right.REP, scope="calls:read", answer=OwnRecording)
async def show_my_recording(ctx: Ctx) -> dict[str, Any]:
    """Whether calls of yours are recorded: the organisation's policy and your own."""
    here = ctx.who.user.number or ""
    plans = {each: recording_plan(ctx.who.user, ctx.engine.directory, each, here) for each in Direction}
    recorded = [(direction.value, plan) for direction, plan in plans.items() if plan.enabled]
    return {
        "directions": [name for name, _ in recorded],
        "announcement": any(plan.announce for _, plan in recorded),
        "private_words": any(plan.private_words for _, plan in recorded),
    }


@table.route("POST", "/me/password", right=Right.REP, scope=None, status=204, errors=(422, 429))
async def change_my_password(ctx: Ctx, body: PasswordChange) -> None:
    """Change your password. Every login of yours ends; sign in again."""
    throttle, account = ctx.request.app[_THROTTLE], f"password of {ctx.who.id}"
    throttle.check(account, ctx.request.remote or "")
    try:
        async with ctx.engine.store.write(ctx.actor) as work:
            await users.change_own_password(work, ctx.who.id, body.old, body.new)
    except Refused as refused:
        if refused.code == "bad_password":
            throttle.wrong(account, ctx.request.remote or "")
        raise
    ctx.accounts_changed()


@table.route("GET", "/me/sessions", right=Right.REP, scope=None, answer=Listed[LoginView])  # type: ignore[valid-type]
async def list_my_sessions(ctx: Ctx) -> Any:
    """Where you are signed in."""
    async with ctx.engine.store.read() as session:
        return {"items": await sessions.list_all(session, ctx.who.id)}


@table.route("DELETE", "/me/sessions", right=Right.REP, scope=None, status=204)
async def close_my_other_sessions(ctx: Ctx) -> None:
    """End every other login of yours."""
    besides = ctx.who.session.id if ctx.who.session else ""
    async with ctx.engine.store.write(ctx.actor) as work:
        await sessions.close_all(work, ctx.who.id, besides=besides)
    ctx.accounts_changed()


def _check_block(ctx: Ctx, address: str) -> None:
    """Raises 429 for an address that is kept out; who is signed in already stays so."""
    block = ctx.engine.blocking.blocked(address)
    if block is None:
        return
    problem = BadRequest(
        429,
        "address_blocked",
        f"Your address {address} is blocked after too many wrong tries. Wait, or ask an admin to let it in again.",
    )
    if block.until_us is not None:
        problem.headers["Retry-After"] = str(max(1, (block.until_us - ctx.engine.clock.now()) // 1_000_000))
    raise problem


def _session(who: Principal) -> dict[str, Any]:
    return {
        "user": who.user,
        "csrf": who.session.csrf if who.session else None,
        "scopes": list(who.token.scopes) if who.token else None,
    }
