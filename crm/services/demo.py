"""The demo organisation: four people, three numbers, a desk phone each, scripts, a trunk to the practice carrier, and
customers with whom it has written; rates, an account and a call list.

Idempotent: what is there already is left as it is. Passwords and secrets are generated and given back once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm import passwords
from crm.notices import NOTICES
from crm.records import Number, Trunk, User
from crm.repositories import accounts, telephony
from crm.services import (
    demo_conversations,
    demo_lists,
    demo_money,
    demo_people,
    demo_scripts,
    demo_texts,
    devices,
    notices,
    numbers,
    settings,
    trunks,
    users,
    usual_outcomes,
)
from crm.services.devices import NewDevice
from crm.unit_of_work import UnitOfWork

TRUNK_NAME = "Practice carrier"
_PEOPLE: tuple[tuple[dict[str, Any], str | None], ...] = (
    (
        {"email": "rep1@demo.example", "name": "Mio Tanaka", "language": "ja", "time_zone": "Asia/Tokyo"},
        "+14155550101",
    ),
    (
        {"email": "rep2@demo.example", "name": "Sam Carter", "language": "en", "time_zone": "America/Los_Angeles"},
        "+14155550102",
    ),
    ({"email": "manager@demo.example", "name": "Alex Morgan", "role": "manager"}, "+14155550103"),
    ({"email": "admin@demo.example", "name": "Robin Adams", "role": "admin"}, None),
)
_SETTINGS = {"recording.enabled": True, "gate.calling_hours": "off", "texts.calling_hours": "off"}
"""There is something to listen to, and lists can be tried at any hour: whom they call is played by this machine."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """``passwords`` (by e-mail address) and the secrets in ``devices`` are only of what was made just now."""

    users: list[User]
    numbers: list[Number]
    trunk: Trunk
    devices: list[NewDevice]
    passwords: Mapping[str, str] = field(repr=False)


async def seed(work: UnitOfWork, *, practice_host: str = "127.0.0.1", practice_port: int = 5160) -> Seeded:
    """Add what is missing of the demo organisation."""
    made_passwords: dict[str, str] = {}
    made_devices: list[NewDevice] = []
    await _settings(work)
    for person, did in _PEOPLE:
        if await accounts.user_row(work.session, person["email"]) is not None:
            continue
        made_passwords[person["email"]] = passwords.new_secret()
        user = await users.add(work, person | {"password": made_passwords[person["email"]]})
        if did is not None:
            await _number(work, did, user)
            made_devices.append(await devices.add(work, {"user": user.id, "name": "Desk phone"}))
    await _notices(work)
    trunk = await _trunk(work, practice_host, practice_port)
    await demo_people.seed_people(work)
    await usual_outcomes.seed(work)
    await demo_scripts.seed_scripts(work)
    await demo_texts.seed_texts(work, trunk)
    await demo_money.seed_money(work, await demo_conversations.seed_conversations(work))
    await demo_lists.seed_list(work)
    people = [await users.show(work.session, person["email"]) for person, _ in _PEOPLE]
    return Seeded(people, await numbers.list_all(work.session), trunk, made_devices, made_passwords)


async def _settings(work: UnitOfWork) -> None:
    """Only where nobody has decided otherwise."""
    for key, value in _SETTINGS.items():
        if not (await settings.show(work.session, key)).changed:
            await settings.change(work, key, value)


async def _notices(work: UnitOfWork) -> None:
    """Accepted by the demo's admin, so that it can be tried at once."""
    admin = await users.show(work.session, _PEOPLE[-1][0]["email"])
    for key in NOTICES:
        await notices.accept(work, key, by=admin)


async def _number(work: UnitOfWork, did: str, user: User) -> None:
    there = {number.e164: number for number in await numbers.list_all(work.session)}
    if did not in there:
        await numbers.add(work, {"number": did, "user": user.id})
    elif there[did].user_id is None:
        await numbers.change(work, did, {"user": user.id})


async def _trunk(work: UnitOfWork, host: str, port: int) -> Trunk:
    row = await telephony.trunk_row(work.session, TRUNK_NAME)
    if row is not None:
        return telephony.to_trunk(row)
    return await trunks.add(
        work,
        {
            "name": TRUNK_NAME,
            "mode": "address",
            "host": host,
            "port": port,
            "transport": "udp",
            "match_addresses": [host],
            "codecs": ["g722", "alaw", "ulaw"],
        },
    )
