"""Logins of the console. The cookie's value is random and kept as a hash only; the CSRF token belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, passwords
from crm.errors import printable
from crm.models.users import LoginSession as Row
from crm.records import LoginSession, User
from crm.repositories import accounts
from crm.unit_of_work import UnitOfWork

LIFETIME_S = 12 * 3600
_SECOND_US = 1_000_000
_SEEN_EVERY_US = 60 * _SECOND_US


@dataclass(frozen=True, slots=True)
class NewSession:
    """``token`` goes into the cookie and is not kept."""

    session: LoginSession
    token: str = field(repr=False)


async def open(work: UnitOfWork, user_id: str, *, address: str, agent: str, lifetime_s: int = LIFETIME_S) -> NewSession:
    """``address`` and ``agent`` are what the browser came with, made printable."""
    token = passwords.new_secret()
    row = Row(
        id=ids.new(ids.SESSION, work.at_us),
        user_id=user_id,
        token_hash=passwords.token_hash(token),
        csrf=passwords.new_secret(),
        address=printable(address),
        agent=printable(agent, 200),
        created_us=work.at_us,
        seen_us=work.at_us,
        expires_us=work.at_us + lifetime_s * _SECOND_US,
    )
    work.session.add(row)
    await work.flush()
    work.record("session.open", row.id, None, {"user_id": user_id, "address": row.address}, touches_calls=False)
    return NewSession(accounts.to_session(row), token)


async def find(session: AsyncSession, token: str, at_us: int | None = None) -> tuple[LoginSession, User] | None:
    """Whose cookie this is; None when it is unknown or expired, or the user is switched off."""
    found = await accounts.session_with_user(session, passwords.token_hash(token))
    if found is None:
        return None
    row, user, number = found
    if not user.active or row.expires_us <= (ids.now_us() if at_us is None else at_us):
        return None
    return accounts.to_session(row), accounts.to_user(user, number)


def should_touch(session: LoginSession, at_us: int) -> bool:
    """Whether the last use noted is old enough to be worth a write."""
    return at_us - session.seen_us > _SEEN_EVERY_US


async def touch(work: UnitOfWork, session_id: str, lifetime_s: int = LIFETIME_S) -> None:
    """Note that it is in use; it expires that much later."""
    row = await work.session.get(Row, session_id)
    if row is not None:
        row.seen_us, row.expires_us = work.at_us, work.at_us + lifetime_s * _SECOND_US


async def close(work: UnitOfWork, session_id: str) -> None:
    row = await work.session.get(Row, session_id)
    if row is not None:
        await work.session.delete(row)
        await work.flush()
        work.record("session.close", session_id, {"user_id": row.user_id}, None, touches_calls=False)
        work.browsers_changed()


async def close_all(work: UnitOfWork, user_id: str, *, besides: str = "") -> int:
    """End every login of a user (but the one that asks); gives how many there were."""
    count = await accounts.delete_sessions(work.session, user_id=user_id, besides=besides)
    work.record("session.close_all", user_id, {"count": count}, None, touches_calls=False)
    work.browsers_changed()
    return count


async def list_all(session: AsyncSession, user_id: str) -> list[LoginSession]:
    return [accounts.to_session(row) for row in await accounts.sessions_of(session, user_id)]


async def purge(work: UnitOfWork) -> int:
    """Forget those that have expired, and the phones they had."""
    count = await accounts.delete_sessions(work.session, expired_us=work.at_us)
    if count:
        work.browsers_changed()
    return count
