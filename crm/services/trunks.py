"""Trunks: the ways out and in, in the order in which they are tried.

What is kept here ends up in Asterisk's configuration, so every text is held to the characters that may stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids
from crm.errors import Refused, conflict, not_found, printable
from crm.models.telephony import Trunk as Row
from crm.notices import VOICE
from crm.records import Trunk, as_dict
from crm.repositories import telephony
from crm.services import notices
from crm.unit_of_work import UnitOfWork

MODES = ("register", "address")
NUMBER_FORMATS = ("e164", "e164_no_plus", "national", "international_00")
CODECS = ("opus", "g722", "alaw", "ulaw")

_DEFAULTS: dict[str, Any] = {
    "mode": "address",
    "port": 5060,
    "transport": "udp",
    "username": "",
    "secret": "",
    "priority": 10,
    "number_format": "e164",
    "prefix": "",
    "codecs": ["alaw", "ulaw"],
    "max_channels": None,
    "calls_per_second": None,
    "match_addresses": [],
    "enabled": True,
}
_CHECKS: dict[str, fields.Check] = {
    "name": fields.text(60),
    "mode": fields.choice(*MODES),
    "host": fields.host,
    "port": fields.integer(1, 65535),
    "transport": fields.choice("udp", "tcp", "tls"),
    "username": fields.matching(
        r"[A-Za-z0-9_.+@-]{0,64}", "A trunk's user name has letters, digits and . _ + - @, 64 characters at most."
    ),
    "secret": fields.matching(
        r"[!-:<-~]{0,128}",
        "A trunk's secret has printable ASCII without spaces and semicolons, 128 characters at most.",
    ),
    "priority": fields.integer(1, 1000),
    "number_format": fields.choice(*NUMBER_FORMATS),
    "prefix": fields.matching(r"[0-9*#]{0,10}", "A prefix has digits, * and #, ten at most."),
    "codecs": fields.list_of(fields.choice(*CODECS)),
    "max_channels": fields.optional(fields.integer(1, 100_000)),
    "calls_per_second": fields.optional(fields.integer(1, 10_000)),
    "match_addresses": fields.list_of(fields.network, 50),
    "enabled": fields.boolean,
}


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Trunk:
    """``name`` and ``host`` are needed; mode register needs ``username`` and ``secret``. The first one makes calls
    possible, so somebody must have accepted the notice about them (N5)."""
    given = fields.read(values, _CHECKS, ("name", "host"))
    if not await telephony.trunks(work.session):
        await notices.check_accepted(work, VOICE.key)
    row = Row(id=ids.new(ids.TRUNK, work.at_us), created_us=work.at_us, updated_us=work.at_us, **(_DEFAULTS | given))
    await _check(work.session, row)
    work.session.add(row)
    await work.flush()
    made = telephony.to_trunk(row)
    work.record("trunk.add", made.id, None, as_dict(made))
    return made


async def list_all(session: AsyncSession) -> list[Trunk]:
    """In the order in which they are tried."""
    return await telephony.trunks(session)


async def show(session: AsyncSession, ref: str) -> Trunk:
    """``ref`` is the id or the name."""
    return telephony.to_trunk(await _find(session, ref))


async def change(work: UnitOfWork, ref: str, values: Mapping[str, Any]) -> Trunk:
    """A secret that is not given stays as it is."""
    row = await _find(work.session, ref)
    before = telephony.to_trunk(row)
    for name, value in fields.read(values, _CHECKS).items():
        setattr(row, name, value)
    await _check(work.session, row)
    row.updated_us = work.at_us
    await work.flush()
    after = telephony.to_trunk(row)
    work.record("trunk.change", row.id, as_dict(before), as_dict(after))
    return after


async def remove(work: UnitOfWork, ref: str) -> Trunk:
    """Calls that run over it go on; new ones take the next trunk."""
    row = await _find(work.session, ref)
    before = telephony.to_trunk(row)
    await work.session.delete(row)
    await work.flush()
    work.record("trunk.remove", before.id, as_dict(before), None)
    return before


async def _check(session: AsyncSession, row: Row) -> None:
    if row.mode == "register" and not (row.username and row.secret):
        raise Refused(
            "register_needs_login", "A trunk that registers needs a user name and a password. Give both.", "username"
        )
    if not row.codecs:
        raise Refused("no_codec", f"A trunk needs a codec at least: {', '.join(CODECS)}.", "codecs")
    await _check_name(session, row)
    await _check_addresses(session, row)


async def _check_name(session: AsyncSession, row: Row) -> None:
    other = await telephony.trunk_row(session, row.name)
    if other is not None and other.id != row.id:
        raise conflict("name_taken", "Another trunk has this name. Choose another one.", "name")


async def _check_addresses(session: AsyncSession, row: Row) -> None:
    """An address tells which trunk a call came over, so no two trunks share one."""
    for other in await telephony.trunks(session):
        shared = set(other.match_addresses) & set(row.match_addresses)
        if other.id != row.id and shared:
            raise conflict(
                "address_taken",
                f"Calls from {sorted(shared)[0]} belong to the trunk {printable(other.name)} already. Remove it there.",
                "match_addresses",
            )


async def _find(session: AsyncSession, ref: str) -> Row:
    row = await telephony.trunk_row(session, ref) if isinstance(ref, str) and ref.isprintable() else None
    if row is None:
        raise not_found("trunk", str(ref))
    return row
