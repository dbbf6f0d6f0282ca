"""API tokens: a program acts for a user, with that user's rights and no more than the token's scopes (A5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, passwords
from crm.errors import not_found
from crm.models.users import ApiToken as Row
from crm.records import Token, User, as_dict
from crm.repositories import accounts
from crm.services import users
from crm.unit_of_work import UnitOfWork

SCOPES: dict[str, str] = {
    "calls:read": "See calls, their timeline and notes.",
    "calls:write": "Start and control calls, write notes.",
    "recordings:read": "Hear recordings and voicemail.",
    "texts:read": "Read texts and conversations.",
    "texts:write": "Send texts, and say who wants none.",
    "people:read": "Search and read leads, contacts, companies and deals.",
    "people:write": "Add and change leads, contacts, companies and deals.",
    "admin:read": "See users, numbers, devices, trunks, groups, settings and the audit log.",
    "admin:write": "Change users, numbers, devices, trunks, groups and settings.",
    "events:read": "Follow the live event stream.",
}
PREFIX = "swh_"
_DAY_US = 86_400_000_000
_SEEN_EVERY_US = 60_000_000


@dataclass(frozen=True, slots=True)
class NewToken:
    """``secret`` is what the program sends; only its hash is kept, so it is shown this once."""

    token: Token
    secret: str = field(repr=False)


async def add(work: UnitOfWork, user_ref: str, values: Mapping[str, Any]) -> NewToken:
    """``name`` and ``scopes`` are needed; without ``expires_in_days`` it holds until it is removed."""
    days = fields.optional(fields.integer(1, 3650, "days"))
    given = fields.read(values, {**_CHECKS, "expires_in_days": days}, ("name", "scopes"))
    user = await users.find(work.session, user_ref)
    secret = PREFIX + passwords.new_secret()
    expires_in = given.get("expires_in_days")
    row = Row(
        id=ids.new(ids.TOKEN, work.at_us),
        user_id=user.id,
        name=given["name"],
        token_hash=passwords.token_hash(secret),
        scopes=sorted(given["scopes"]),
        created_us=work.at_us,
        expires_us=work.at_us + expires_in * _DAY_US if expires_in else None,
    )
    work.session.add(row)
    await work.flush()
    made = accounts.to_token(row)
    work.record("token.add", made.id, None, as_dict(made), touches_calls=False)
    return NewToken(made, secret)


async def list_all(session: AsyncSession, user: str | None = None) -> list[Token]:
    """All, or one user's (id or e-mail address), newest first."""
    user_id = (await users.find(session, user)).id if user is not None else None
    return [accounts.to_token(row) for row in await accounts.tokens(session, user_id)]


async def show(session: AsyncSession, token_id: str) -> Token:
    return accounts.to_token(await _find(session, token_id))


async def change(work: UnitOfWork, token_id: str, values: Mapping[str, Any]) -> Token:
    row = await _find(work.session, token_id)
    before = accounts.to_token(row)
    given = fields.read(values, _CHECKS)
    row.name = given.get("name", row.name)
    row.scopes = sorted(given.get("scopes", row.scopes))
    await work.flush()
    after = accounts.to_token(row)
    work.record("token.change", row.id, as_dict(before), as_dict(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, token_id: str) -> Token:
    """It is refused from the next request on."""
    row = await _find(work.session, token_id)
    before = accounts.to_token(row)
    await work.session.delete(row)
    await work.flush()
    work.record("token.remove", before.id, as_dict(before), None, touches_calls=False)
    return before


async def find(session: AsyncSession, secret: str, at_us: int | None = None) -> tuple[Token, User] | None:
    """The token and whom it acts for; None when it is unknown, expired, or its user is switched off."""
    found = await accounts.token_with_user(session, passwords.token_hash(secret))
    if found is None:
        return None
    row, user, number = found
    now = ids.now_us() if at_us is None else at_us
    if not user.active or (row.expires_us is not None and row.expires_us <= now):
        return None
    return accounts.to_token(row), accounts.to_user(user, number)


def should_touch(token: Token, at_us: int) -> bool:
    """Whether the last use noted is old enough to be worth a write."""
    return token.used_us is None or at_us - token.used_us > _SEEN_EVERY_US


async def touch(work: UnitOfWork, token_id: str) -> None:
    """Note that it is in use."""
    (await _find(work.session, token_id)).used_us = work.at_us


async def _find(session: AsyncSession, token_id: str) -> Row:
    row = await session.get(Row, token_id) if isinstance(token_id, str) and token_id.isprintable() else None
    if row is None:
        raise not_found("API token", str(token_id))
    return row


def _scopes(value: Any) -> list[str]:
    return list(fields.list_of(fields.choice(*SCOPES))(value))


_CHECKS: dict[str, fields.Check] = {"name": fields.text(60), "scopes": _scopes}
