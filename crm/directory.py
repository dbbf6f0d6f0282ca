"""All that calls depend on, as one frozen value that the engine keeps in memory.

A change reaches the next call without touching running ones (A2): every change bumps a revision in its own transaction,
the engine polls :func:`current_revision` and loads again when it moved. A reading transaction sees one state of the
database, so what is loaded never mixes two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import settings_registry
from crm.records import Device, Group, Number, Trunk, User
from crm.repositories import accounts, organisation, revision, telephony

current_revision = revision.current


@dataclass(frozen=True, slots=True)
class Directory:
    """Mappings are read-only. ``trunks`` stand in the order in which they are tried, disabled ones among them."""

    revision: int
    users: Mapping[str, User]
    numbers: Mapping[str, Number]
    devices: Mapping[str, Device]
    trunks: tuple[Trunk, ...]
    groups: Mapping[str, Group]
    settings: Mapping[str, Any]
    do_not_call: frozenset[str]
    do_not_call_revision: int
    _devices_by_user: Mapping[str, tuple[Device, ...]] = field(repr=False)

    def user_of(self, e164: str) -> User | None:
        """Whose number it is; None for a number nobody has, and for one that we do not have."""
        number = self.numbers.get(e164)
        return self.users.get(number.user_id) if number and number.user_id else None

    def number_of(self, user_id: str) -> Number | None:
        user = self.users.get(user_id)
        return self.numbers.get(user.number) if user and user.number else None

    def devices_of(self, user_id: str) -> tuple[Device, ...]:
        """The user's phones that are switched on."""
        return self._devices_by_user.get(user_id, ())

    def trunk(self, trunk_id: str) -> Trunk | None:
        return next((trunk for trunk in self.trunks if trunk.id == trunk_id), None)


async def load(session: AsyncSession, previous: Directory | None = None) -> Directory:
    """Read everything. With the directory before, the do-not-call list is read only if it has changed."""
    at = await revision.current(session)
    listed = await revision.of_do_not_call(session)
    unchanged = previous is not None and previous.do_not_call_revision == listed
    devices = await telephony.devices(session)
    by_user: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        if device.enabled:
            by_user[device.user_id].append(device)
    return Directory(
        revision=at,
        users=MappingProxyType({user.id: user for user in await accounts.users(session)}),
        numbers=MappingProxyType({number.e164: number for number in await telephony.numbers(session)}),
        devices=MappingProxyType({device.id: device for device in devices}),
        trunks=tuple(await telephony.trunks(session)),
        groups=MappingProxyType({group.id: group for group in await telephony.groups(session)}),
        settings=MappingProxyType(settings_registry.effective(await organisation.changed_settings(session))),
        do_not_call=previous.do_not_call
        if previous is not None and unchanged
        else await organisation.do_not_call_numbers(session),
        do_not_call_revision=listed,
        _devices_by_user=MappingProxyType({name: tuple(found) for name, found in by_user.items()}),
    )
