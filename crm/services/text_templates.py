"""Templates: texts written before, with the fields of scripts (T1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, script_fields
from crm.errors import conflict, not_found
from crm.models.texts import Template as Row
from crm.records import as_dict
from crm.repositories import named
from crm.repositories.scripts import groups_of
from crm.services import groups
from crm.texts import Template
from crm.unit_of_work import UnitOfWork

LONGEST = 1_600


def _body(value: Any) -> str:
    kept = str(fields.text(LONGEST, lines=True)(value))
    script_fields.check(kept)
    return kept


_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "body": _body,
    "group_ids": fields.list_of(fields.text(60), 100),
    "position": fields.integer(0, 1_000_000),
    "active": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Template:
    """``name`` and ``body`` are needed."""
    given = fields.read(values, _CHECKS, ("name", "body"))
    given["group_ids"] = await _groups(work.session, given.get("group_ids", []))
    await _check_name(work.session, given["name"], "")
    last = await work.session.scalar(select(func.max(Row.position)))
    base = {"active": True, "position": 0 if last is None else last + 1}
    row = Row(id=ids.new(ids.TEMPLATE, work.at_us), created_us=work.at_us, updated_us=work.at_us, **base | given)
    work.session.add(row)
    await work.flush()
    made = _template(row)
    work.record("text_template.add", made.id, None, as_dict(made), touches_calls=False)
    return made


async def list_all(session: AsyncSession, *, user_id: str | None = None) -> list[Template]:
    """All, or those that are offered to this user, in their order."""
    rows = await session.scalars(select(Row).order_by(Row.position, Row.created_us, Row.id))
    found = [_template(row) for row in rows]
    if user_id is None:
        return found
    own = await groups_of(session, user_id)
    return [each for each in found if each.active and (not each.group_ids or own & set(each.group_ids))]


async def show(session: AsyncSession, ref: str) -> Template:
    return _template(await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Template:
    row = await _find(work.session, ref)
    before = _template(row)
    given = fields.read(values, _CHECKS)
    if "group_ids" in given:
        given["group_ids"] = await _groups(work.session, given["group_ids"])
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    await work.flush()
    after = _template(row)
    work.record("text_template.change", row.id, as_dict(before), as_dict(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, ref: str) -> Template:
    row = await _find(work.session, ref)
    gone = _template(row)
    await work.session.delete(row)
    await work.flush()
    work.record("text_template.remove", gone.id, as_dict(gone), None, touches_calls=False)
    return gone


def _template(row: Row) -> Template:
    return Template(
        row.id, row.name, row.body, tuple(row.group_ids), row.position, row.active, row.created_us, row.updated_us
    )


async def _groups(session: AsyncSession, refs: list[str]) -> list[str]:
    return list(dict.fromkeys([(await groups.show(session, ref)).id for ref in refs]))


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another template has this name. Choose another one.", "name")


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("template", str(ref))
    return row
