"""A channel has come to us, from a trunk or from a phone: what call is it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from crm import phone_numbers
from crm.directory import Directory
from crm.records import User
from pbx.core.events import Arrived, Dialled, Direction
from pbx.core.ids import CallId
from pbx.services import numbers
from pbx.services.persons import Persons
from pbx.services.runtime import Calls

log = structlog.get_logger("arrivals")


class Arriving(Protocol):
    """What the switch knows of the channel: words of the dialplan, filtered there already."""

    @property
    def channel(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def exten(self) -> str: ...
    @property
    def caller(self) -> str: ...
    @property
    def caller_name(self) -> str: ...


class Arrivals:
    def __init__(
        self,
        calls: Calls,
        directory: Callable[[], Directory],
        persons: Persons,
        mint: Callable[[], CallId],
        overloaded: Callable[[], bool],
    ) -> None:
        self._calls = calls
        self._directory = directory
        self._persons = persons
        self._mint = mint
        self._overloaded = overloaded

    def from_trunk(self, arriving: Arriving) -> None:
        """Somebody outside calls one of our numbers, in whatever notation the carrier writes it."""
        directory = self._directory()
        if directory.trunk(arriving.endpoint) is None:
            log.warning("arrivals.unknown_trunk", endpoint=arriving.endpoint)
            self._begin(arriving, "", arriving.caller)  # no number: refused, and in the log
            return
        home = str(directory.settings["default_country"])
        called = phone_numbers.try_parse(arriving.exten, home)
        did = called.e164 if called else arriving.exten
        caller = phone_numbers.try_parse(arriving.caller, home)
        self._begin(
            arriving,
            did,
            caller.e164 if caller else arriving.caller,
            trunk_id=arriving.endpoint,
            caller_name=arriving.caller_name,
        )

    def from_phone(self, arriving: Arriving) -> None:
        """A phone of ours dialled. A number of a colleague is rung inside, without any trunk."""
        directory = self._directory()
        device = directory.devices.get(arriving.endpoint)
        user = directory.users.get(device.user_id) if device else None
        if device is None or user is None or not device.enabled:
            log.warning("arrivals.unknown_device", endpoint=arriving.endpoint)
            self._begin(arriving, "", arriving.endpoint)  # no number: refused, and in the log
            return
        destination = numbers.read(arriving.exten, user.country, directory.settings)
        if numbers.colleague(destination, directory, user) is not None:
            self._begin(arriving, destination.e164, user.number or "", caller_name=user.name, from_user=user)
            return
        person = self._persons.of(user, Direction.OUTBOUND, destination.e164)
        event = Dialled(arriving.channel, arriving.endpoint, person, arriving.exten, destination.e164)
        self._calls.begin(self._mint(), event, arriving.channel)

    def _begin(
        self,
        arriving: Arriving,
        did: str,
        caller: str,
        *,
        trunk_id: str = "",
        caller_name: str = "",
        from_user: User | None = None,
    ) -> None:
        directory = self._directory()
        person = self._persons.at(did, Direction.INTERNAL if from_user else Direction.INBOUND, caller)
        event = Arrived(
            channel=arriving.channel,
            did=did,
            caller=caller,
            caller_name=caller_name,
            trunk_id=trunk_id,
            known_number=did in directory.numbers,
            person=person,
            from_user=from_user.id if from_user else "",
            from_device=arriving.endpoint if from_user else "",
            language=str(directory.settings["default_language"]),
            overloaded=self._overloaded(),
        )
        self._calls.begin(self._mint(), event, arriving.channel)
