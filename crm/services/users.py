"""Users: who may log in, as what, how they are reached (A1, I4).

At least one active admin always stays: the last one cannot be removed, demoted or switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, passwords
from crm.errors import Refused, conflict, not_found
from crm.models.users import User as Row
from crm.notices import RECORDING
from crm.records import User, as_dict
from crm.repositories import accounts
from crm.services import notices, settings
from crm.settings_registry import LANGUAGES
from crm.unit_of_work import UnitOfWork

ROLES = ("rep", "manager", "admin")
OWN_FIELDS = frozenset(
    {
        "name",
        "language",
        "time_zone",
        "available",
        "forwarding_number",
        "ring_time_s",
        "voicemail_enabled",
        "forward_accept",
    }
)
"""What users change for themselves."""

_DEFAULTS: dict[str, Any] = {
    "role": "rep",
    "active": True,
    "available": True,
    "forwarding_number": None,
    "ring_time_s": 25,
    "voicemail_enabled": True,
    "forward_accept": "inherit",
    "recording_policy": "inherit",
    "may_call": True,
    "max_concurrent": None,
    "spend_cap_micros": None,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> User:
    """``email`` and ``name`` are needed; without ``password`` nobody can log in as this user yet."""
    organisation = await settings.values(work.session)
    country = str(organisation["default_country"])
    given = fields.read(values, _checks(str(values.get("country") or country)), ("email", "name"))
    given = {name: value for name, value in given.items() if value is not None}
    password = given.pop("password", None)
    await _check_email_free(work.session, given["email"])
    await _check_recording(work, given, "inherit")
    defaults = _DEFAULTS | {
        "language": organisation["default_language"],
        "time_zone": organisation["default_time_zone"],
        "country": country,
    }
    row = Row(id=ids.new(ids.USER, work.at_us), created_us=work.at_us, updated_us=work.at_us, **(defaults | given))
    row.password_hash = await passwords.make_hash(password) if password else None
    work.session.add(row)
    await work.flush()
    made = accounts.to_user(row, None)
    work.record("user.add", made.id, None, as_dict(made))
    return made


async def list_all(session: AsyncSession, *, role: str | None = None, active: bool | None = None) -> list[User]:
    """By name."""
    if role is not None:
        fields.one("role", role, fields.choice(*ROLES))
    return await accounts.users(session, role=role, active=active)


async def show(session: AsyncSession, ref: str) -> User:
    """``ref`` is the id or the e-mail address in any case."""
    return await _record(session, await find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> User:
    row = await find(work.session, ref)
    before = await _record(work.session, row)
    given = fields.read(values, _checks(str(values.get("country") or row.country)))
    await _check_recording(work, given, before.recording_policy)
    if "password" in given:
        await _keep_password(work, row, given.pop("password"))
    if "email" in given and given["email"].lower() != row.email.lower():
        await _check_email_free(work.session, given["email"])
    if row.role == "admin" and row.active and (given.get("role", "admin") != "admin" or not given.get("active", True)):
        await _check_other_admin(work.session, row.id)
    if given.get("forwarding_number") is not None and given["forwarding_number"] == before.number:
        raise Refused(
            "forward_to_self",
            "Calls to this number would be forwarded to itself. Enter another telephone, for example a mobile.",
            "forwarding_number",
        )
    for name, value in given.items():
        setattr(row, name, value)
    if given.get("active") is False:
        await accounts.delete_sessions(work.session, user_id=row.id)
    return await _changed(work, row, before)


async def change_own(work: UnitOfWork, user_id: str, values: Mapping[str, Any]) -> User:
    """What users may change for themselves; the next call uses it (I4)."""
    for name in values:
        if name not in OWN_FIELDS:
            raise Refused(
                "not_yours_to_change",
                f"You can change these yourself: {', '.join(sorted(OWN_FIELDS))}. Ask an admin for the rest.",
                fields.text(60)(str(name)),
                HTTPStatus.FORBIDDEN,
            )
    return await change(work, user_id, values)


async def set_password(work: UnitOfWork, ref: str, password: str) -> User:
    """An admin's way; every login of the user ends."""
    return await change(work, ref, {"password": password})


async def change_own_password(work: UnitOfWork, user_id: str, old: str, new: str) -> User:
    row = await find(work.session, user_id)
    if not await passwords.matches(row.password_hash, old):
        raise Refused("bad_password", "The old password is not right. Type it again.", "old", HTTPStatus.FORBIDDEN)
    return await change(work, user_id, {"password": new})


async def set_greeting(work: UnitOfWork, user_id: str, name: str | None) -> tuple[User, str | None]:
    """``name`` is that of a sound that stands in its place already; None: the default is heard again. Gives the user,
    and the name of the sound that is not used any more."""
    row = await find(work.session, user_id)
    before, row.greeting = await _record(work.session, row), name
    return await _changed(work, row, before), before.greeting


async def remove(work: UnitOfWork, ref: str) -> User:
    """The user's devices and logins go too, the number becomes free; the log of calls stays."""
    row = await find(work.session, ref)
    before = await _record(work.session, row)
    if row.role == "admin" and row.active:
        await _check_other_admin(work.session, row.id)
    await work.session.delete(row)
    await work.flush()
    work.record("user.remove", before.id, as_dict(before), None)
    return before


async def sign_in(session: AsyncSession, email: str, password: str) -> User:
    """The user whose e-mail address and password these are. Takes as long for an address that nobody has, and says
    the same, so that nobody learns who works here. Guesses are throttled by the web, per address and per account."""
    row = await accounts.user_row(session, email) if _may_be_stored(email) and "@" in email else None
    right = await passwords.matches(row.password_hash if row else None, password)
    if row is None or not right or not row.active:
        raise Refused(
            "bad_login",
            "E-mail address or password is not right. Type both again, or ask an admin for a new password.",
            status=HTTPStatus.UNAUTHORIZED,
        )
    return await _record(session, row)


async def find(session: AsyncSession, ref: str) -> Row:
    """The row of a user by id or e-mail address; raises Refused (404)."""
    row = await accounts.user_row(session, ref) if _may_be_stored(ref) else None
    if row is None:
        raise not_found("user", str(ref))
    return row


def _may_be_stored(ref: object) -> bool:
    """Texts that the database driver would refuse are in no table."""
    return isinstance(ref, str) and len(ref) <= 300 and ref.isprintable()


def _checks(country: str) -> dict[str, fields.Check]:
    """``country`` is what the forwarding number is read by where it lacks a country code."""
    cap = fields.optional(fields.integer(0, 10**15, "micro-units"))
    return {
        "email": fields.email,
        "name": fields.text(100),
        "role": fields.choice(*ROLES),
        "password": fields.optional(passwords.check),
        "language": fields.choice(*LANGUAGES),
        "time_zone": fields.time_zone,
        "country": fields.country,
        "active": fields.boolean,
        "available": fields.boolean,
        "forwarding_number": fields.optional(fields.phone(country)),
        "ring_time_s": fields.integer(5, 120, "seconds"),
        "voicemail_enabled": fields.boolean,
        "forward_accept": fields.choice("inherit", "any_key", "none"),
        "recording_policy": fields.choice("inherit", "on", "off"),
        "may_call": fields.boolean,
        "max_concurrent": fields.optional(fields.integer(1, 10_000, "calls")),
        "spend_cap_micros": cap,
    }


async def _record(session: AsyncSession, row: Row) -> User:
    return accounts.to_user(row, await accounts.number_of(session, row.id))


async def _changed(work: UnitOfWork, row: Row, before: User) -> User:
    row.updated_us = work.at_us
    await work.flush()
    after = await _record(work.session, row)
    work.record("user.change", row.id, as_dict(before), as_dict(after))
    return after


async def _keep_password(work: UnitOfWork, row: Row, password: str | None) -> None:
    """None takes the password away. Either way the user's logins end."""
    row.password_hash = await passwords.make_hash(password) if password else None
    await accounts.delete_sessions(work.session, user_id=row.id)
    work.record("user.password", row.id, touches_calls=False)


async def _check_recording(work: UnitOfWork, given: Mapping[str, Any], before: str) -> None:
    """Nobody's calls begin to be recorded before the notice about it was accepted (N5)."""
    if given.get("recording_policy", before) == "on" != before:
        await notices.check_accepted(work, RECORDING.key)


async def _check_email_free(session: AsyncSession, email: str) -> None:
    if await accounts.user_row(session, email) is not None:
        raise conflict("email_taken", "Another user has this e-mail address already. Choose another one.", "email")


async def _check_other_admin(session: AsyncSession, user_id: str) -> None:
    if await accounts.count_active_admins(session, besides=user_id) == 0:
        raise conflict("last_admin", "This is the last active admin. Make another user an admin first.", "role")
