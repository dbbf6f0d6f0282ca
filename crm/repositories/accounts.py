"""Users, their logins and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm import records
from crm.models.telephony import Number
from crm.models.users import ApiToken, IdempotencyKey, LoginSession, User


def to_user(row: User, number: str | None) -> records.User:
    return records.User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=row.role,
        language=row.language,
        time_zone=row.time_zone,
        country=row.country,
        active=row.active,
        forwarding_number=row.forwarding_number,
        ring_time_s=row.ring_time_s,
        voicemail_enabled=row.voicemail_enabled,
        forward_accept=row.forward_accept,
        recording_policy=row.recording_policy,
        may_call=row.may_call,
        max_concurrent=row.max_concurrent,
        spend_cap_micros=row.spend_cap_micros,
        has_password=row.password_hash is not None,
        number=number,
        created_us=row.created_us,
        updated_us=row.updated_us,
        available=row.available,
        has_greeting=row.greeting is not None,
        greeting=row.greeting,
    )


def to_session(row: LoginSession) -> records.LoginSession:
    return records.LoginSession(
        row.id, row.user_id, row.csrf, row.address, row.agent, row.created_us, row.seen_us, row.expires_us
    )


def to_token(row: ApiToken) -> records.Token:
    return records.Token(row.id, row.user_id, row.name, tuple(row.scopes), row.created_us, row.expires_us, row.used_us)


async def users(session: AsyncSession, *, role: str | None = None, active: bool | None = None) -> list[records.User]:
    """In the order of their names."""
    query = (
        select(User, Number.e164).outerjoin(Number, Number.user_id == User.id).order_by(func.lower(User.name), User.id)
    )
    if role is not None:
        query = query.where(User.role == role)
    if active is not None:
        query = query.where(User.active.is_(active))
    return [to_user(row, number) for row, number in (await session.execute(query))]


async def user_row(session: AsyncSession, ref: str) -> User | None:
    """By id, or by e-mail address in any case."""
    found = await session.get(User, ref)
    if found is None:
        found = (await session.scalars(select(User).where(func.lower(User.email) == ref.lower()))).one_or_none()
    return found


async def number_of(session: AsyncSession, user_id: str) -> str | None:
    return (await session.scalars(select(Number.e164).where(Number.user_id == user_id))).one_or_none()


async def count_active_admins(session: AsyncSession, *, besides: str) -> int:
    """Locks the admins until the commit, so that two of them cannot each rely on the other and both go."""
    query = select(User.id).where(User.role == "admin", User.active.is_(True)).order_by(User.id).with_for_update()
    return sum(1 for user_id in await session.scalars(query) if user_id != besides)


async def session_with_user(session: AsyncSession, token_hash: str) -> tuple[LoginSession, User, str | None] | None:
    query = (
        select(LoginSession, User, Number.e164)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Number, Number.user_id == User.id)
        .where(LoginSession.token_hash == token_hash)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def sessions_of(session: AsyncSession, user_id: str) -> Sequence[LoginSession]:
    query = select(LoginSession).where(LoginSession.user_id == user_id).order_by(LoginSession.created_us.desc())
    return (await session.scalars(query)).all()


async def delete_sessions(
    session: AsyncSession, *, user_id: str | None = None, expired_us: int | None = None, besides: str = ""
) -> int:
    """All of a user's, or all that have expired; gives how many there were."""
    query = delete(LoginSession).where(LoginSession.id != besides)
    if user_id is not None:
        query = query.where(LoginSession.user_id == user_id)
    if expired_us is not None:
        query = query.where(LoginSession.expires_us <= expired_us)
    return affected(await session.execute(query))


async def token_with_user(session: AsyncSession, token_hash: str) -> tuple[ApiToken, User, str | None] | None:
    query = (
        select(ApiToken, User, Number.e164)
        .join(User, User.id == ApiToken.user_id)
        .outerjoin(Number, Number.user_id == User.id)
        .where(ApiToken.token_hash == token_hash)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def tokens(session: AsyncSession, user_id: str | None) -> Sequence[ApiToken]:
    query = select(ApiToken).order_by(ApiToken.created_us.desc(), ApiToken.id)
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    return (await session.scalars(query)).all()


async def claim_idempotency_key(session: AsyncSession, row: IdempotencyKey) -> bool:
    """Insert the row unless its key is there; says whether it was inserted. Waits for one in progress."""
    columns = ("owner", "key", "request_hash", "object_id", "created_us")
    statement = text(
        "INSERT INTO idempotency_keys (owner, key, request_hash, object_id, created_us) "
        "VALUES (:owner, :key, :request_hash, :object_id, :created_us) ON CONFLICT DO NOTHING"
    )
    result = await session.execute(statement, {name: getattr(row, name) for name in columns})
    return affected(result) == 1


async def delete_idempotency_keys(session: AsyncSession, older_than_us: int) -> int:
    query = delete(IdempotencyKey).where(IdempotencyKey.created_us < older_than_us)
    return affected(await session.execute(query))


def affected(result: Any) -> int:
    """How many rows a statement changed."""
    assert isinstance(result, CursorResult)
    return result.rowcount
