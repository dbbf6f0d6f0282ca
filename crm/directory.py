"""All that calls depend on, as one frozen value that the engine keeps in memory.

A change reaches the next call without touching running ones (A2): every change bumps a revision in its own transaction,
the engine polls :func:`current_revision` and loads again when it moved. A reading transaction sees one state of the
database, so what is loaded never mixes two. Phones of browsers come and go with every login: where only they have
changed, only they are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import settings_registry
from crm.law.law import STATUTE, Law
from crm.number_sets import ListedNumbers
from crm.records import Device, Group, Number, Trunk, User
from crm.repositories import accounts, organisation, revision, telephony, texts
from crm.repositories import law as law_rules
from crm.services import do_not_call_lists

current_revision = revision.current


@dataclass(frozen=True, slots=True)
class Directory:
    """Mappings are read-only. ``trunks`` stand in the order in which they are tried, disabled ones among them;
    ``devices`` are phones of every kind, those of browsers (kind webrtc) among them."""

    revision: int
    users: Mapping[str, User]
    numbers: Mapping[str, Number]
    devices: Mapping[str, Device]
    trunks: tuple[Trunk, ...]
    groups: Mapping[str, Group]
    settings: Mapping[str, Any]
    do_not_call: Set[str]
    do_not_call_revision: int
    _devices_by_user: Mapping[str, tuple[Device, ...]] = field(repr=False)
    browsers_revision: int = 0
    _browser_by_session: Mapping[str, Device] = field(default_factory=dict, repr=False)
    law: Law = field(default=STATUTE, repr=False)
    opted_out: Set[str] = field(default=frozenset(), repr=False)
    """Who has asked for no texts: whoever is on a list is not called then, either (L4)."""

    @property
    def configured(self) -> int:
        """Moves with what people configure, and not with logins."""
        return self.revision - self.browsers_revision

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

    def browser_of(self, session_id: str) -> Device | None:
        """The phone of a login, once it has asked for one."""
        return self._browser_by_session.get(session_id)

    def browsers(self) -> tuple[Device, ...]:
        return tuple(self._browser_by_session.values())

    def trunk(self, trunk_id: str) -> Trunk | None:
        return next((trunk for trunk in self.trunks if trunk.id == trunk_id), None)


async def load(session: AsyncSession, previous: Directory | None = None) -> Directory:
    """Read everything. With the directory before, what can be long or did not change is taken from there."""
    at = await revision.read(session)
    browsers = await telephony.browsers(session)
    if previous is not None and previous.configured == at.whole - at.browsers:
        phones = [device for device in previous.devices.values() if device.kind != "webrtc"]
        return replace(previous, revision=at.whole, browsers_revision=at.browsers, **_devices(phones, browsers))
    unchanged = previous is not None and previous.do_not_call_revision == at.do_not_call
    return Directory(
        revision=at.whole,
        users=MappingProxyType({user.id: user for user in await accounts.users(session)}),
        numbers=MappingProxyType({number.e164: number for number in await telephony.numbers(session)}),
        trunks=tuple(await telephony.trunks(session)),
        groups=MappingProxyType({group.id: group for group in await telephony.groups(session)}),
        settings=MappingProxyType(settings_registry.effective(await organisation.changed_settings(session))),
        do_not_call=previous.do_not_call
        if previous is not None and unchanged
        else await _do_not_call(session, previous),
        do_not_call_revision=at.do_not_call,
        opted_out=previous.opted_out if previous is not None and unchanged else await texts.opted_out(session),
        browsers_revision=at.browsers,
        law=await law_rules.load(session, previous.law if previous is not None else None),
        **_devices(await telephony.devices(session), browsers),
    )


async def _do_not_call(session: AsyncSession, previous: Directory | None) -> Set[str]:
    """The organisation's own list, and those from outside, of which only new ones are read."""
    own = await organisation.do_not_call_numbers(session)
    before = previous.do_not_call if previous is not None else own
    lists = await do_not_call_lists.load(session, dict(before.lists) if isinstance(before, ListedNumbers) else {})
    return ListedNumbers(own, lists) if lists else own


def _devices(phones: Iterable[Device], browsers: Sequence[tuple[str, Device]]) -> dict[str, Any]:
    """The fields of a directory that are made of phones and of phones of browsers."""
    devices = [*phones, *(device for _, device in browsers)]
    by_user: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        if device.enabled:
            by_user[device.user_id].append(device)
    return {
        "devices": MappingProxyType({device.id: device for device in devices}),
        "_devices_by_user": MappingProxyType({name: tuple(found) for name, found in by_user.items()}),
        "_browser_by_session": MappingProxyType(dict(browsers)),
    }
