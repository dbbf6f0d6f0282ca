"""Transports of texts: which there are, and which numbers go by which (T5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, text_transports
from crm.errors import conflict, not_found
from crm.models.texts import NumberTransport
from crm.models.texts import Transport as Row
from crm.records import as_dict
from crm.repositories import named
from crm.services import numbers
from crm.texts import Transport
from crm.unit_of_work import UnitOfWork


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise conflict("invalid", "This must be an object.")
    return {str(name): each for name, each in value.items()}


_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(60),
    "kind": fields.choice(*text_transports.KINDS),
    "priority": fields.integer(1, 1000),
    "options": _mapping,
    "secrets": _mapping,
    "numbers": fields.list_of(fields.text(40), 10_000),
    "enabled": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Transport:
    """``name`` and ``kind`` are needed. With ``numbers`` it is for them alone, else for all without their own."""
    given = fields.read(values, _CHECKS, ("name", "kind"))
    await _check_name(work.session, given["name"], "")
    options, secrets = text_transports.read(given["kind"], given.get("options", {}), given.get("secrets", {}))
    row = Row(
        id=ids.new(ids.TEXT_TRANSPORT, work.at_us),
        name=given["name"],
        kind=given["kind"],
        priority=given.get("priority", 10),
        options=options,
        secrets=secrets,
        enabled=given.get("enabled", True),
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    await _set_numbers(work, row.id, given.get("numbers", []))
    made = await show(work.session, row.id)
    work.record("text_transport.add", made.id, None, as_dict(made))
    return made


async def list_all(session: AsyncSession) -> list[Transport]:
    """In the order in which they are tried."""
    chosen: dict[str, list[str]] = defaultdict(list)
    for each in await session.scalars(select(NumberTransport).order_by(NumberTransport.e164)):
        chosen[each.transport_id].append(each.e164)
    rows = await session.scalars(select(Row).order_by(Row.priority, Row.created_us, Row.id))
    return [_transport(row, chosen[row.id]) for row in rows]


async def show(session: AsyncSession, ref: str) -> Transport:
    """``ref`` is the id or the name."""
    row = await _find(session, ref)
    query = select(NumberTransport.e164).where(NumberTransport.transport_id == row.id).order_by(NumberTransport.e164)
    return _transport(row, list(await session.scalars(query)))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Transport:
    """Options and secrets that are not named stay as they are; null takes one away."""
    row = await _find(work.session, ref)
    before = await show(work.session, row.id)
    given = fields.read(values, {name: check for name, check in _CHECKS.items() if name != "kind"})
    if "name" in given:
        await _check_name(work.session, given["name"], row.id)
    options = row.options | given.pop("options", {})
    secrets = row.secrets | given.pop("secrets", {})
    row.options, row.secrets = text_transports.read(row.kind, options, secrets)
    chosen = given.pop("numbers", None)
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_us = work.at_us
    await work.flush()
    if chosen is not None:
        await _set_numbers(work, row.id, chosen)
    after = await show(work.session, row.id)
    work.record("text_transport.change", row.id, as_dict(before), as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Transport:
    """What waits for it goes by another one, if there is one."""
    row = await _find(work.session, ref)
    gone = await show(work.session, row.id)
    await work.session.execute(delete(NumberTransport).where(NumberTransport.transport_id == row.id))
    await work.session.delete(row)
    await work.flush()
    work.record("text_transport.remove", gone.id, as_dict(gone), None)
    return gone


def chosen_for(transports: Sequence[Transport], e164: str) -> Transport | None:
    """The one that this number goes by: its own, else the first that is for every number."""
    able = [each for each in transports if each.enabled]
    own = next((each for each in able if e164 in each.numbers), None)
    return own or next((each for each in able if not each.numbers), None)


def _transport(row: Row, chosen: Sequence[str]) -> Transport:
    return Transport(
        row.id,
        row.name,
        row.kind,
        row.priority,
        dict(row.options),
        tuple(sorted(row.secrets)),
        tuple(chosen),
        row.enabled,
        row.created_us,
        row.updated_us,
        dict(row.secrets),
    )


async def _set_numbers(work: UnitOfWork, transport_id: str, refs: Sequence[str]) -> None:
    """A number goes by one transport: by this one from now on."""
    found = [(await numbers.show(work.session, ref)).e164 for ref in dict.fromkeys(refs)]
    await work.session.execute(delete(NumberTransport).where(NumberTransport.transport_id == transport_id))
    await work.session.execute(delete(NumberTransport).where(NumberTransport.e164.in_(found)))
    work.session.add_all([NumberTransport(e164=each, transport_id=transport_id) for each in dict.fromkeys(found)])
    await work.flush()


async def _check_name(session: AsyncSession, name: str, own_id: str) -> None:
    if await named.is_taken(session, Row, name, own_id):
        raise conflict("name_taken", "Another transport has this name. Choose another one.", "name")


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await named.find(session, Row, ref)
    if row is None:
        raise not_found("text transport", str(ref))
    return row
