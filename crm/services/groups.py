"""Groups of users, for example Support: first to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids
from crm.errors import conflict, not_found
from crm.models.telephony import Group as Row
from crm.records import Group, as_dict
from crm.repositories import named, telephony
from crm.services import users
from crm.unit_of_work import UnitOfWork

_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(60),
    "description": fields.text(200, empty=True),
    "members": fields.list_of(fields.text(300), 200),
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Group:
    """``name`` is needed; ``members`` are users by id or e-mail address, in the order in which they ring."""
    given = fields.read(values, _CHECKS, ("name",))
    await _check_name(work.session, given["name"], "")
    row = Row(
        id=ids.new(ids.GROUP, work.at_us),
        name=given["name"],
        description=given.get("description", ""),
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    made = await _kept(work, row, given.get("members", []))
    work.record("group.add", made.id, None, as_dict(made))
    return made


async def list_all(session: AsyncSession) -> list[Group]:
    """By name."""
    return await telephony.groups(session)


async def show(session: AsyncSession, ref: str) -> Group:
    """``ref`` is the id or the name."""
    return await _record(session, await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Group:
    """``members`` replaces them all."""
    row = await _find(work.session, ref)
    before = await _record(work.session, row)
    given = fields.read(values, _CHECKS)
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
        row.name = given["name"]
    row.description = given.get("description", row.description)
    row.updated_us = work.at_us
    await work.flush()
    after = await _kept(work, row, given.get("members"))
    work.record("group.change", row.id, as_dict(before), as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Group:
    """The users stay."""
    row = await _find(work.session, ref)
    before = await _record(work.session, row)
    await work.session.delete(row)
    await work.flush()
    work.record("group.remove", before.id, as_dict(before), None)
    return before


async def _kept(work: UnitOfWork, row: Row, members: Sequence[str] | None) -> Group:
    if members is not None:
        found = [(await users.find(work.session, ref)).id for ref in members]
        await telephony.set_members(work.session, row.id, list(dict.fromkeys(found)))
    return await _record(work.session, row)


async def _record(session: AsyncSession, row: Row) -> Group:
    return telephony.to_group(row, await telephony.members_of(session, row.id))


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another group has this name. Choose another one.", "name")


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("group", str(ref))
    return row
