"""Users of the organisation: colleagues for everybody to find, the rest for admins."""

from __future__ import annotations

from typing import Any

from crm.services import sessions, users
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Answer, Listed
from pbx.web.wire.people_of_ours import NewUser, UserChange, UserQuery, UserView

table = Table("users")


class Colleague(Answer):
    """What colleagues see of each other."""

    id: str
    name: str
    role: str
    language: str
    number: str | None
    display: str | None
    active: bool


@table.route("GET", "/colleagues", right=Right.REP, scope="calls:read", answer=Listed[Colleague])
async def list_colleagues(ctx: Ctx) -> Any:
    """The people one can call or invite, by name."""
    found = sorted(ctx.engine.directory.users.values(), key=lambda user: user.name.casefold())
    names = Colleague.model_fields.keys() - {"display"}
    return {"items": [{name: getattr(user, name) for name in names} for user in found if user.active]}


@table.route("GET", "/users", right=Right.MANAGER, scope="admin:read", answer=Listed[UserView])  # type: ignore[valid-type]
async def list_users(ctx: Ctx, query: UserQuery) -> Any:
    """All users with their settings, by name."""
    async with ctx.engine.store.read() as session:
        return {"items": await users.list_all(session, role=query.role, active=query.active)}


@table.route("POST", "/users", right=Right.ADMIN, scope="admin:write", answer=UserView, status=201, errors=(409, 422))
async def add_user(ctx: Ctx, body: NewUser) -> Any:
    """Add a user."""
    async with ctx.engine.store.write(ctx.actor) as work:
        return await users.add(work, body.given())


@table.route("GET", "/users/{user}", right=Right.REP, scope="admin:read", answer=UserView, errors=(404,))
async def show_user(ctx: Ctx) -> Any:
    """One user, by id or e-mail address; reps see themselves."""
    ref = ctx.path("user")
    if not ctx.who.sees_all and ref not in (ctx.who.id, ctx.who.user.email):
        raise forbidden("You may see your own settings here. Colleagues stand under /api/v1/colleagues.")
    async with ctx.engine.store.read() as session:
        return await users.show(session, ref)


@table.route("PATCH", "/users/{user}", right=Right.ADMIN, scope="admin:write", answer=UserView, errors=(404, 409, 422))
async def change_user(ctx: Ctx, body: UserChange) -> Any:
    """Change a user; calls that are up go on as they are, the next one uses it."""
    async with ctx.engine.store.write(ctx.actor) as work:
        changed = await users.change(work, ctx.path("user"), body.given())
    ctx.accounts_changed()
    return changed


@table.route("DELETE", "/users/{user}", right=Right.ADMIN, scope="admin:write", status=204, errors=(404, 409))
async def remove_user(ctx: Ctx) -> None:
    """Remove a user with devices and logins; the log of calls stays."""
    async with ctx.engine.store.write(ctx.actor) as work:
        gone = await users.remove(work, ctx.path("user"))
    ctx.accounts_changed()
    await ctx.engine.greetings.forget(gone)


@table.route("DELETE", "/users/{user}/sessions", right=Right.ADMIN, scope="admin:write", status=204, errors=(404,))
async def close_sessions_of_user(ctx: Ctx) -> None:
    """End every login of a user."""
    async with ctx.engine.store.write(ctx.actor) as work:
        user = await users.show(work.session, ctx.path("user"))
        await sessions.close_all(work, user.id)
    ctx.accounts_changed()
