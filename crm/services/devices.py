"""SIP phones of users. The SIP user name is made up, the secret is generated and shown once; only HA1 is kept.

Browsers are not among them: each login has a phone of its own (:mod:`crm.services.browsers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, passwords
from crm.errors import Refused, not_found
from crm.models.telephony import Device as Row
from crm.records import Device, as_dict
from crm.repositories import telephony
from crm.services import users
from crm.unit_of_work import UnitOfWork

MOST_PER_USER = 20
_TRANSPORTS = ("udp", "tcp", "tls")


@dataclass(frozen=True, slots=True)
class NewDevice:
    """``secret`` is what to type into the phone; it is not kept and cannot be shown again."""

    device: Device
    secret: str = field(repr=False)


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> NewDevice:
    """``user`` is needed. Transport udp, tcp or tls (with SRTP)."""
    given = fields.read(values, {"user": fields.text(300), "kind": _kind, **_CHECKS}, ("user",))
    user = await users.find(work.session, given["user"])
    if len(await telephony.devices(work.session, user.id)) >= MOST_PER_USER:
        raise Refused("too_many_devices", f"{user.name} has {MOST_PER_USER} devices already. Remove one first.", "user")
    secret, name = passwords.new_secret(), ids.new_device()
    row = Row(
        id=name,
        user_id=user.id,
        name=given.get("name", "Phone"),
        kind="sip",
        transport=given.get("transport", "udp"),
        ha1=passwords.ha1(name, secret),
        enabled=given.get("enabled", True),
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    made = telephony.to_device(row)
    work.record("device.add", made.id, None, as_dict(made))
    return NewDevice(made, secret)


async def list_all(session: AsyncSession, user: str | None = None) -> list[Device]:
    """All, or those of one user (id or e-mail address)."""
    return await telephony.devices(session, (await users.find(session, user)).id if user is not None else None)


async def show(session: AsyncSession, device_id: str) -> Device:
    return telephony.to_device(await _find(session, device_id))


async def change(work: UnitOfWork, device_id: str, values: Mapping[str, Any]) -> Device:
    row = await _find(work.session, device_id)
    before = telephony.to_device(row)
    given = fields.read(values, _CHECKS)
    for name, value in given.items():
        setattr(row, name, value)
    return await _changed(work, row, before, "device.change")


async def renew_secret(work: UnitOfWork, device_id: str) -> NewDevice:
    """A new secret; the phone must be given it, the old one is of no use from then on."""
    row = await _find(work.session, device_id)
    before = telephony.to_device(row)
    secret = passwords.new_secret()
    row.ha1 = passwords.ha1(row.id, secret)
    return NewDevice(await _changed(work, row, before, "device.renew_secret"), secret)


async def remove(work: UnitOfWork, device_id: str) -> Device:
    row = await _find(work.session, device_id)
    before = telephony.to_device(row)
    await work.session.delete(row)
    await work.flush()
    work.record("device.remove", before.id, as_dict(before), None)
    return before


async def _changed(work: UnitOfWork, row: Row, before: Device, action: str) -> Device:
    row.updated_us = work.at_us
    await work.flush()
    after = telephony.to_device(row)
    work.record(action, row.id, as_dict(before), as_dict(after))
    return after


async def _find(session: AsyncSession, device_id: str) -> Row:
    row = await session.get(Row, device_id) if isinstance(device_id, str) and device_id.isalnum() else None
    if row is None:
        raise not_found("device", str(device_id))
    return row


def _kind(value: Any) -> str:
    if value == "webrtc":
        raise Refused(
            "browser_phone",
            "A browser gets its phone by itself when its user signs in: there is nothing to add. Add SIP phones here.",
        )
    return str(fields.choice("sip")(value))


_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(60),
    "transport": fields.choice(*_TRANSPORTS),
    "enabled": fields.boolean,
}
