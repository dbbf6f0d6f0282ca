"""DIDs: which numbers there are, whose they are, what they can do (N1, N2, N3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.errors import Refused, conflict, not_found
from crm.models.telephony import Number as Row
from crm.phone_numbers import display, parse, try_parse
from crm.records import Number, as_dict
from crm.repositories import telephony
from crm.services import settings, users
from crm.unit_of_work import UnitOfWork

_CAN = {"voice": "make or take calls", "sms": "send or receive texts"}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Number:
    """``number`` is needed, in any notation. ``user`` assigns it at once; the country follows from the number."""
    default = await _default_country(work.session)
    given = fields.read(values, {"number": lambda raw: parse(raw, default), **_CHECKS}, ("number",))
    number = given.pop("number")
    if await work.session.get(Row, number.e164) is not None:
        raise conflict(
            "number_exists", f"The number {display(number.e164)} is already there. Change it instead.", "number"
        )
    row = Row(
        e164=number.e164,
        country=given.pop("country", None) or number.country,
        voice=given.get("voice", True),
        sms=given.get("sms", True),
        label=given.get("label", ""),
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    _check_capable(row)
    if given.get("user") is not None:
        await _assign(work, row, given["user"])
    work.session.add(row)
    await work.flush()
    made = telephony.to_number(row)
    work.record("number.add", made.e164, None, as_dict(made))
    return made


async def list_all(session: AsyncSession, *, free: bool | None = None) -> list[Number]:
    """``free``: only those that nobody has (True), or that somebody has (False)."""
    return await telephony.numbers(session, free=free)


async def show(session: AsyncSession, ref: str) -> Number:
    """``ref`` is the number in any notation."""
    return telephony.to_number(await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Number:
    """``user`` of None takes the number away from whoever has it. A number that somebody has is not taken over: it
    must be freed first, so that nobody loses a number by a slip."""
    row = await _find(work.session, ref)
    before = telephony.to_number(row)
    given = fields.read(values, _CHECKS)
    if "user" in given:
        await _assign(work, row, given.pop("user"))
    if given.get("country") is None:
        given.pop("country", None)  # empty: as it stands
    for name, value in given.items():
        setattr(row, name, value)
    _check_capable(row)
    row.updated_us = work.at_us
    await work.flush()
    after = telephony.to_number(row)
    work.record("number.change", row.e164, as_dict(before), as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Number:
    """Calls to it are refused from then on; the log of calls stays."""
    row = await _find(work.session, ref)
    before = telephony.to_number(row)
    await work.session.delete(row)
    await work.flush()
    work.record("number.remove", before.e164, as_dict(before), None)
    return before


async def require(session: AsyncSession, user_id: str, capability: str) -> Number:
    """The user's number, if it can do this ("voice", "sms"); else Refused with the reason (N3)."""
    row = await telephony.number_row_of(session, user_id)
    if row is None:
        raise Refused("no_number", "You have no number of your own. Ask an admin to assign one.")
    if not {"voice": row.voice, "sms": row.sms}[capability]:
        raise Refused(
            f"number_cannot_{capability}",
            f"Your number {display(row.e164)} cannot {_CAN[capability]}. Ask an admin for a number that can.",
        )
    return telephony.to_number(row)


async def _assign(work: UnitOfWork, row: Row, user_ref: str | None) -> None:
    """Refuses the second assignment; the database's unique constraint is behind it (N1)."""
    if user_ref is None:
        row.user_id = None
        return
    user = await users.find(work.session, user_ref)
    if row.user_id is not None and row.user_id != user.id:
        owner = await users.show(work.session, row.user_id)
        raise conflict(
            "number_has_user",
            f"The number {display(row.e164)} belongs to {owner.name} already. Take it away from {owner.name} first.",
            "user",
        )
    other = await telephony.number_row_of(work.session, user.id)
    if other is not None and other.e164 != row.e164:
        raise conflict(
            "user_has_number",
            f"{user.name} has the number {display(other.e164)} already. Take that one away first.",
            "user",
        )
    if user.forwarding_number == row.e164:
        raise conflict(
            "forward_to_self",
            f"{user.name} forwards calls to this very number. Change the forwarding number first.",
            "user",
        )
    row.user_id = user.id


def _check_capable(row: Row) -> None:
    if not row.voice and not row.sms:
        raise Refused("no_capability", "A number must be able to do voice, sms or both. Switch one on.", "voice")


async def _find(session: AsyncSession, ref: str) -> Row:
    number = try_parse(ref, await _default_country(session))
    row = await session.get(Row, number.e164) if number else None
    if row is None:
        raise not_found("number", str(ref))
    return row


async def _default_country(session: AsyncSession) -> str:
    return str((await settings.values(session))["default_country"])


_CHECKS: dict[str, fields.Check] = {
    "user": fields.optional(fields.text(300)),
    "country": fields.optional(fields.country),
    "voice": fields.boolean,
    "sms": fields.boolean,
    "label": fields.text(100, empty=True),
}
