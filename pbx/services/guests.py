"""Who can be invited into a call: users, groups and outside numbers, as they are at this moment (C1, C3, C5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from crm.directory import Directory
from crm.errors import Refused, not_found
from crm.records import Group, User
from pbx.core.events import Direction, Guest, GuestFound, GuestKind, GuestPhone
from pbx.services import numbers
from pbx.services.persons import Persons


class Guests:
    """``directory`` gives the newest one."""

    def __init__(self, directory: Callable[[], Directory], persons: Persons) -> None:
        self._directory = directory
        self._persons = persons

    def named(self, inviter: User, *, user: str | None, group: str | None, number: str | None) -> Guest:
        """Exactly one of the three. Raises Refused for nobody, for several and for whom we do not know."""
        if [user, group, number].count(None) != 2:
            raise Refused("invalid", "Invite either a user, a group or a number.", "user")
        directory = self._directory()
        if user is not None:
            found = directory.users.get(user)
            if found is None or not found.active:
                raise not_found("user", user)
            return self._user(found)
        if group is not None:
            known = directory.groups.get(group)
            if known is None:
                raise not_found("group", group)
            return self._group(known)
        return self._number(number or "", inviter)

    def keyed(self, digits: str, user_id: str) -> GuestFound:
        """By the number that a user pressed; nobody for what is no number."""
        inviter = self._directory().users.get(user_id)
        guest = self._number(digits, inviter) if inviter is not None else None
        return GuestFound(guest if guest is not None and guest.id else None, self.unattended)

    def name_of(self, user_id: str) -> str:
        user = self._directory().users.get(user_id)
        return user.name if user else ""

    @property
    def unattended(self) -> timedelta:
        """How long an outside guest and the customer may go on without a user (C9)."""
        return timedelta(seconds=self._directory().settings["conference.unattended_max_s"])

    def _user(self, user: User) -> Guest:
        """The own forwarding number is not rung (C5), nor any phone of who is away."""
        person = self._persons.of(user, Direction.INTERNAL)
        phones = tuple(GuestPhone(user.id, phone) for phone in person.phones if not person.away)
        return Guest(
            GuestKind.USER,
            user.id,
            user.name,
            person.did,
            phones,
            busy=person.busy,
            ring_time=person.ring_time,
        )

    def _group(self, group: Group) -> Guest:
        """First to answer; who is on a call or away is left out (C3)."""
        users = self._directory().users
        members = [self._persons.of(users[member], Direction.INTERNAL) for member in group.members if member in users]
        free = [member for member in members if users[member.user_id].active and not (member.busy or member.away)]
        phones = tuple(GuestPhone(member.user_id, phone) for member in free for phone in member.phones)
        longest = max((member.ring_time for member in free), default=timedelta(seconds=25))
        return Guest(GuestKind.GROUP, group.id, group.name, phones=phones, ring_time=longest)

    def _number(self, number: str, inviter: User) -> Guest:
        """A colleague's number rings inside, any other goes through the gate, which also says what is no number."""
        directory = self._directory()
        destination = numbers.read(number, inviter.country, directory.settings)
        owner = directory.user_of(destination.e164)
        if owner is not None and owner.active:
            return self._user(owner)
        return Guest(GuestKind.NUMBER, destination.e164, "", destination.e164)
