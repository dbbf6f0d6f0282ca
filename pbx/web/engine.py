"""What the web needs of the engine; :mod:`pbx.bootstrap` fulfils it, tests make a small one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from crm.directory import Directory
from crm.unit_of_work import Store
from pbx.config import Config
from pbx.core.call import Call
from pbx.core.call.record import CallRecord
from pbx.core.events import Ask, PartyAsk
from pbx.core.gate import Verdict
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts
from pbx.services.billing import Billing
from pbx.services.blocking import Blocking
from pbx.services.browsers import BrowserPhones
from pbx.services.calling_hours import CallingHours
from pbx.services.changes import Changes
from pbx.services.dialer import Dialer
from pbx.services.digests import Digests
from pbx.services.drain import Drain
from pbx.services.drops import Drops
from pbx.services.greetings import Greetings
from pbx.services.hub import Hub
from pbx.services.imports import Imports
from pbx.services.metrics import Metrics
from pbx.services.ports import Clock
from pbx.services.practice import Practice
from pbx.services.reloads import Reloads
from pbx.services.reminders import Reminders
from pbx.services.retention import Retention
from pbx.services.texting import Texting
from pbx.services.webhooks import Webhooks


class Records(Protocol):
    """The log of this run's calls, in memory."""

    def get(self, call_id: str) -> CallRecord | None: ...
    def live(self) -> Iterator[CallRecord]: ...
    def newest(self) -> Iterator[CallRecord]: ...


class Control(Protocol):
    """What people may ask of calls. Every method answers at once or raises Refused."""

    def dial(
        self, user_id: str, to: str, *, via: str | None = None, device_id: str | None = None, by: str, call_id: str = ""
    ) -> CallId: ...
    def ask(self, call_id: str, ask: Ask, by: str, *, admin: bool = False) -> Call: ...
    def ask_party(self, call_id: str, ask: PartyAsk, leg: str, by: str, *, admin: bool = False) -> Call: ...
    def invite(
        self,
        call_id: str,
        by: str,
        *,
        user: str | None = None,
        group: str | None = None,
        number: str | None = None,
        admin: bool = False,
    ) -> Call: ...
    def answer(self, call_id: str, device_id: str | None, by: str) -> Call: ...
    def drop(self, call_id: str, drop_id: str, sound: str, by: str) -> Call: ...
    def send_digits(self, call_id: str, digits: str, by: str, *, admin: bool = False) -> Call: ...
    def note(self, call_id: str, text: str, by: str, *, after: int | None = None) -> None: ...
    def link(self, call_id: str, record_type: str, record_id: str, by: str, *, after: int | None = None) -> None: ...
    def recording_erased(self, call_id: str, recording: str, by: str, *, after: int | None = None) -> None: ...


class GateCheck(Protocol):
    def trunk_for(self, user_id: str, number: str) -> str | None: ...
    def check(self, user_id: str, number: str, *, listed: bool = False) -> Verdict: ...


class Registered(Protocol):
    def registered(self) -> Mapping[str, int]:
        """How many bindings each device has now."""


class Engine(Protocol):
    """Attributes are read at each use, so that what is replaced while running (the directory) is seen."""

    @property
    def config(self) -> Config: ...
    @property
    def store(self) -> Store: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def records(self) -> Records: ...
    @property
    def control(self) -> Control: ...
    @property
    def gate(self) -> GateCheck: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def registrations(self) -> Registered: ...
    @property
    def billing(self) -> Billing: ...
    @property
    def browsers(self) -> BrowserPhones: ...
    @property
    def changes(self) -> Changes: ...
    @property
    def reloads(self) -> Reloads: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def blocking(self) -> Blocking: ...
    @property
    def dialer(self) -> Dialer: ...
    @property
    def drain(self) -> Drain: ...
    @property
    def drops(self) -> Drops: ...
    @property
    def greetings(self) -> Greetings: ...
    @property
    def hours(self) -> CallingHours: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def practice(self) -> Practice: ...
    @property
    def reminders(self) -> Reminders: ...
    @property
    def texting(self) -> Texting: ...
    @property
    def digests(self) -> Digests: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def recordings_dir(self) -> Path: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def bill_printer(self) -> Callable[[str, str], Awaitable[bytes]]:
        """Gives the bill of a month as PDF, in a language."""

    def asterisk_of(self, device: str) -> Config:
        """How the Asterisk is reached that has this phone of a browser, or is to have it."""

    async def doctor(self) -> Sequence[Mapping[str, str]]:
        """What is found in every layer: layer, state, message, remedy."""

    def ready(self) -> Mapping[str, Any]: ...


ENGINE: web.AppKey[Engine] = web.AppKey("engine")
