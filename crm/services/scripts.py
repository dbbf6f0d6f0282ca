"""Scripts: what users say in which calls, for everybody or for groups (V11, N6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, script_fields
from crm.errors import Refused, conflict, not_found
from crm.models.scripts import Script as Row
from crm.phone_numbers import display
from crm.records import Script, as_dict
from crm.repositories import named, scripts
from crm.services import deals, groups, people, switches
from crm.unit_of_work import UnitOfWork

DIRECTIONS = ("inbound", "outbound", "any")
LONGEST = 20_000


def _body(value: Any) -> str:
    kept = str(fields.text(LONGEST, lines=True)(value))
    script_fields.check(kept)
    return kept


_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(100),
    "body": _body,
    "direction": fields.choice(*DIRECTIONS),
    "group_ids": fields.list_of(fields.text(60), 100),
    "position": fields.integer(0, 1_000_000),
    "active": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Script:
    """``name`` and ``body`` are needed. Without ``position`` it goes behind all others."""
    given = fields.read(values, _CHECKS, ("name", "body"))
    given["group_ids"] = await _groups(work.session, given.get("group_ids", []))
    await _check_name(work.session, given["name"], "")
    last = await scripts.last_position(work.session)
    base = {"direction": "any", "active": True, "position": 0 if last is None else last + 1}
    row = Row(id=ids.new(ids.SCRIPT, work.at_us), created_us=work.at_us, updated_us=work.at_us, **(base | given))
    work.session.add(row)
    await work.flush()
    made = scripts.to_script(row)
    work.record("script.add", made.id, None, as_dict(made), touches_calls=False)
    return made


async def list_all(session: AsyncSession) -> list[Script]:
    """In the order in which they are tried."""
    return await scripts.scripts(session)


async def show(session: AsyncSession, ref: str) -> Script:
    return scripts.to_script(await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Script:
    row = await _find(work.session, ref)
    before = scripts.to_script(row)
    given = fields.read(values, _CHECKS)
    if "group_ids" in given:
        given["group_ids"] = await _groups(work.session, given["group_ids"])
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    await work.flush()
    after = scripts.to_script(row)
    work.record("script.change", row.id, as_dict(before), as_dict(after), touches_calls=False)
    return after


async def remove(work: UnitOfWork, ref: str) -> Script:
    row = await _find(work.session, ref)
    before = scripts.to_script(row)
    await work.session.delete(row)
    await work.flush()
    work.record("script.remove", before.id, as_dict(before), None, touches_calls=False)
    return before


async def fitting(session: AsyncSession, direction: str, user_id: str) -> Script | None:
    """The first active one for a call of this user's, where scripts are switched on for them (N6); calls among
    colleagues have none."""
    if direction == "internal" or not await switches.is_on(session, switches.SCRIPTS, user_id):
        return None
    own = await scripts.groups_of(session, user_id)
    for script in await list_all(session):
        fits = script.active and script.direction in ("any", direction)
        if fits and (not script.group_ids or own & set(script.group_ids)):
            return script
    return None


async def values_for(session: AsyncSession, call: Mapping[str, Any], user_name: str, home: str) -> dict[str, str]:
    """What the fields of a script mean in this call, of which ``call`` is the row (:class:`~crm.records.Call`): the
    record that it is filed under, else the first that has its number."""
    number = str(call["customer_number"] or "")
    known = {"user.name": user_name, "number": display(number, home)}
    try:
        return known | await _who(session, call)
    except Refused as refused:  # what the call was filed under may have been removed since
        if refused.status != 404:
            raise
        return known


async def _who(session: AsyncSession, call: Mapping[str, Any]) -> dict[str, str]:
    kind, record_id = call["record_type"], call["record_id"]
    if record_id is None and call["matches"]:
        kind, record_id = call["matches"][0]["type"], call["matches"][0]["id"]
    if record_id is None:
        return {}
    if kind == "deal":
        deal = await deals.show(session, record_id)
        found = {"deal.name": deal.name}
        record_id = deal.record_id
    else:
        newest = (await deals.page(session, record_id=record_id, status="open", limit=1)).items
        found = {"deal.name": newest[0].name} if newest else {}
    if record_id is None:
        return found
    record = await people.show(session, record_id)
    return found | {"contact.name": record.name, "contact.company": record.company_name}


async def _groups(session: AsyncSession, refs: list[str]) -> list[str]:
    """By id or name; kept as ids, each once."""
    return list(dict.fromkeys([(await groups.show(session, ref)).id for ref in refs]))


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another script has this name. Choose another one.", "name")


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("script", str(ref))
    return row
