"""Settings of the organisation, API tokens, and the audit log."""

from __future__ import annotations

from typing import Any

from crm.records import Token
from crm.services import audit, settings, tokens
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Listed, Paged
from pbx.web.wire.people_of_ours import (
    AuditQuery,
    AuditVerified,
    AuditView,
    NewToken,
    SettingAnswer,
    SettingChange,
    TokenChange,
    TokenView,
    TokenWithSecret,
)

table = Table("organisation")


@table.route("GET", "/settings", right=Right.MANAGER, scope="admin:read", answer=Listed[SettingAnswer])  # type: ignore[valid-type]
async def list_settings(ctx: Ctx) -> Any:
    """Every setting with its value, default and meaning."""
    async with ctx.engine.store.read() as session:
        return {"items": await settings.list_all(session)}


@table.route("GET", "/settings/{key}", right=Right.MANAGER, scope="admin:read", answer=SettingAnswer, errors=(404,))
async def show_setting(ctx: Ctx) -> Any:
    """One setting."""
    async with ctx.engine.store.read() as session:
        return await settings.show(session, ctx.path("key"))


@table.route(
    "PUT", "/settings/{key}", right=Right.ADMIN, scope="admin:write", answer=SettingAnswer, errors=(404, 409, 422)
)
async def change_setting(ctx: Ctx, body: SettingChange) -> Any:
    """Change a setting; it holds from the next call on. Recording wants its notice accepted first."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await settings.change(work, ctx.path("key"), body.value)


@table.route("DELETE", "/settings/{key}", right=Right.ADMIN, scope="admin:write", answer=SettingAnswer, errors=(404,))
async def reset_setting(ctx: Ctx) -> Any:
    """Back to the default."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await settings.remove(work, ctx.path("key"))


@table.route("GET", "/tokens", right=Right.REP, scope=None, answer=Listed[TokenView])  # type: ignore[valid-type]
async def list_tokens(ctx: Ctx) -> Any:
    """Your API tokens; admins see everybody's."""
    async with ctx.engine.store.read() as session:
        return {"items": await tokens.list_all(session, None if ctx.who.is_admin else ctx.who.id)}


@table.route("POST", "/tokens", right=Right.REP, scope=None, answer=TokenWithSecret, status=201, errors=(404, 422))
async def add_token(ctx: Ctx, body: NewToken) -> Any:
    """Make an API token, for yourself or (admins) for somebody else. The secret is shown this once."""
    values = body.given()
    user = values.pop("user", None) or ctx.who.id
    if user not in (ctx.who.id, ctx.who.user.email) and not ctx.who.is_admin:
        raise forbidden("You may make tokens for yourself. Ask an admin for others.")
    async with ctx.engine.store.write(ctx.actor) as work:
        made = await tokens.add(work, user, values)
    return {"token": made.token, "secret": made.secret}


@table.route("PATCH", "/tokens/{token}", right=Right.REP, scope=None, answer=TokenView, errors=(404, 422))
async def change_token(ctx: Ctx, body: TokenChange) -> Any:
    """Rename a token or change its scopes."""
    async with ctx.engine.store.write(ctx.actor) as work:
        _check_own(ctx, await tokens.show(work.session, ctx.path("token")))
        changed = await tokens.change(work, ctx.path("token"), body.given())
    ctx.accounts_changed()
    return changed


@table.route("DELETE", "/tokens/{token}", right=Right.REP, scope=None, status=204, errors=(404,))
async def remove_token(ctx: Ctx) -> None:
    """Remove a token: it is refused from now on."""
    async with ctx.engine.store.write(ctx.actor) as work:
        _check_own(ctx, await tokens.show(work.session, ctx.path("token")))
        await tokens.remove(work, ctx.path("token"))
    ctx.accounts_changed()


@table.route("GET", "/audit", right=Right.ADMIN, scope="admin:read", answer=Paged[AuditView])  # type: ignore[valid-type]
async def list_audit(ctx: Ctx, query: AuditQuery) -> Any:
    """Who changed what, newest first."""
    async with ctx.engine.store.read() as session:
        return await audit.list_all(session, cursor=query.cursor, limit=query.limit, object_id=query.object_id)


@table.route("POST", "/audit/verify", right=Right.ADMIN, scope="admin:read", answer=AuditVerified)
async def verify_audit(ctx: Ctx) -> Any:
    """Whether the audit log is whole: no entry altered or taken out."""
    async with ctx.engine.store.read() as session:
        broken_at = await audit.verify(session)
    return {"intact": broken_at is None, "broken_at": broken_at}


def _check_own(ctx: Ctx, token: Token) -> None:
    if token.user_id != ctx.who.id and not ctx.who.is_admin:
        raise forbidden("This token is somebody else's.")
