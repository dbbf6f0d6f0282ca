"""A small engine for the web's tests: the real store, runtime, gate, journal and hub, with a switch of paper."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web_app
from aiohttp.test_utils import TestServer

from crm import directory as directories
from crm import ids
from crm.call_lists import Judged
from crm.directory import Directory
from crm.local_time import Place
from crm.records import User
from crm.services import devices, numbers, sessions, settings, tokens, trunks, users
from crm.services.list_leases import Limit
from crm.unit_of_work import SYSTEM, Store
from pbx.adapters.bill_pdf import BillPrinter
from pbx.adapters.clock import LoopClock
from pbx.adapters.import_worker import ImportWorker
from pbx.adapters.mail import SmtpMail
from pbx.adapters.names import addresses_of
from pbx.adapters.public_http import PublicHttp
from pbx.adapters.sound_worker import SoundWorker
from pbx.adapters.store.journal import FileJournal, Line
from pbx.adapters.store.projector import Projector
from pbx.adapters.webhook_post import WebhookPost
from pbx.config import Config
from pbx.core.commands import DialOut, RingPhone
from pbx.core.events import Arrived, Direction, LegAnswered, LegEnded, LegRinging, Phone
from pbx.core.ids import CallId, LegId
from pbx.services.alerts import Alerts
from pbx.services.billing import Billing
from pbx.services.blocking import Blocking
from pbx.services.browsers import BrowserPhones
from pbx.services.call_control import CallControl
from pbx.services.changes import Changes
from pbx.services.dialer import Dialer
from pbx.services.dialer_steps import Steps
from pbx.services.digests import Digests
from pbx.services.drain import Drain
from pbx.services.drops import Drops
from pbx.services.erasure_list import ErasureList
from pbx.services.gatekeeper import Gate
from pbx.services.greetings import Greetings
from pbx.services.guests import Guests
from pbx.services.imports import Imports
from pbx.services.live_records import LiveRecords
from pbx.services.metrics import Metrics
from pbx.services.occupancy import Occupancy
from pbx.services.persons import Persons
from pbx.services.practice import Practice
from pbx.services.presence_view import PresenceView
from pbx.services.prices import Prices
from pbx.services.reloads import Reloads
from pbx.services.reminders import Reminders
from pbx.services.retention import Places, Retention
from pbx.services.routing import Routing
from pbx.services.runtime import Calls
from pbx.services.spending import Spending
from pbx.services.sums import Sums
from pbx.services.texting import Texting
from pbx.services.webhooks import Webhooks
from pbx.services.wrapup import WrapUp
from pbx.supervisor.doctor import examine
from pbx.web.app import make_app
from pbx.web.auth import COOKIE, CSRF_HEADER, DOOR, Door
from pbx.web.routes.phone import PROXIES
from pbx.web.sip_proxy import SipProxies
from tests.integration.web.described import DescribedHub
from tests.support.paper_transport import PaperTransport
from tests.unit.services.standins import HandSwitch, Trail

API = "/api/v1"
CUSTOMER = "+12065550150"
ALL_SCOPES = sorted(tokens.SCOPES)
PASSWORD = "correct horse battery staple"


class PaperPhones:
    """Registrations as a test says they are."""

    def __init__(self) -> None:
        self.bindings: dict[str, int] = {}

    def registered(self) -> Mapping[str, int]:
        return self.bindings

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        return tuple(Phone(each, f"PJSIP/{each}") for each in device_ids if self.bindings.get(each))


class PaperCarrier:
    """Plays the public network as far as a test says so."""

    def __init__(self) -> None:
        self.running = False
        self.calls: list[tuple[str, str]] = []
        self.answered = asyncio.Event()

    async def there(self) -> bool:
        return self.running

    async def call(self, from_number: str, to_number: str) -> str:
        self.calls.append((from_number, to_number))
        await self.answered.wait()
        return "answered"


class NoFence:
    """There is no SIP here to keep anybody out of."""

    def at_once(self, address: str) -> None: ...

    async def keep_out(self, addresses: Iterable[str]) -> None: ...


class AlwaysOpen:
    """Everybody may be called, but for places that a test closes."""

    def __init__(self) -> None:
        self.closed: dict[str, int] = {}

    def look(self, place: Place, at_us: int) -> Judged:
        until = self.closed.get(place.country)
        return Judged(True) if until is None else Judged(False, "outside_hours", until)

    def limits(self, place: Place) -> tuple[Limit, ...]:
        return ()


class SmallEngine:
    """What :class:`pbx.web.engine.Engine` asks for. Nothing leaves this process."""

    def __init__(self, home: Path, store: Store, directory: Directory) -> None:
        self.config = Config.load({}, home=home)
        self.store, self.directory, self.clock = store, directory, LoopClock()
        self.registrations, self.records = PaperPhones(), LiveRecords()
        self.changes = Changes()
        self.linked, self.overloaded = True, False
        self.switch = HandSwitch(Trail())
        self.journal = FileJournal(self.config.journal)
        self.projector = Projector(store, self.journal, self.records)
        self.recordings_dir = self.config.recordings
        self.recordings_dir.mkdir(parents=True, exist_ok=True)
        self.sound = SoundWorker(self.recordings_dir)
        self.greetings = Greetings(store, self.sound, self.config.greetings)
        self.drops = Drops(store, self.sound, self.config.drops)
        url = store.url.render_as_string(hide_password=False)
        self.imports, self.bill_printer = Imports(self.config.imports, ImportWorker(url)), BillPrinter(url)
        kept = Places(self.config.recordings, self.config.attachments)
        self.retention = Retention(store, kept, ErasureList(self.config.erasures), lambda: self.directory.settings)
        self._make_services()
        self.browsers = BrowserPhones(self._current, lambda: self.linked)
        self._reloading: set[asyncio.Task[None]] = set()

    def _make_services(self) -> None:
        now = self.clock.now
        routing = Routing(self._current, now)
        self.prices = Prices(self.store, self._current, now)
        self.spending = Spending(self.prices.call, now)
        self.gate = Gate(self._current, routing, self.spending, lambda: False)
        self.calls = Calls(
            self.switch,
            self.journal,
            self.clock,
            self.gate,
            find_colleague=lambda number: self.persons.at(number, Direction.INTERNAL),
        )
        self.drain = Drain(now, lambda: len(self.calls))
        occupancy = Occupancy(self.calls.get)
        self.persons = Persons(self._current, self.registrations, occupancy.busy, greetings=str(self.config.greetings))
        self.reloads = Reloads(self.calls, self._current, self.registrations, _silence)
        self.control = CallControl(
            self.calls,
            self._current,
            self.persons,
            Guests(self._current, self.persons),
            self.registrations,
            new_call,
            lambda: self.linked,
            self.records.last_used,
            lambda: self.overloaded,
            lambda: self.drain.on,
        )
        presence = PresenceView(self._current, self.registrations.registered, occupancy.busy)
        self.alerts = Alerts(self.clock)
        self.blocking = Blocking(self.store, self._current, self.alerts, self.clock, NoFence(), addresses_of)
        self.hub = DescribedHub(self.records, presence, self._current, self.clock, queue=64, ring=256)
        self.metrics = Metrics(self.records, self.ready)
        self.paper = PaperTransport()
        makers = {"http": self.paper.make}
        self.texting = Texting(self.store, self.hub, self._current, makers, self.config.attachments, "test")
        self.carrier = PaperCarrier()
        self.practice = Practice(self.carrier)
        self.wrapup, self.reminders = WrapUp(self.store, self.hub), Reminders(self.store, self.hub)
        self.sums = Sums(self.store)
        self.projector.on_stored = self.wrapup.stored
        self.hours = AlwaysOpen()
        steps = Steps(self.store, self.control, self.gate, self.hours)
        self.dialer = Dialer(self.store, self.hub, steps, self.records, occupancy.busy)
        self.calls.observers += [self.records, occupancy, routing, self.hub, self.metrics, self.dialer]
        self.billing = Billing(
            self.store, self.prices, self.spending, self._current, self.hub, self.alerts, self.metrics, self.clock
        )
        self.public_http = PublicHttp("127.0.0.0/8", resolve=_at_home)
        post = WebhookPost(self.public_http)
        self.webhooks = Webhooks(self.store, post, self._current, self.alerts, worker="world")
        self.digests = Digests(self.store, SmtpMail(self.config))
        self.projector.on_stored = self._stored

    def _current(self) -> Directory:
        return self.directory

    def _stored(self, lines: Sequence[Line]) -> None:
        self.wrapup.stored(lines)
        self.billing.stored(lines)
        self.webhooks.stored(lines)

    def ready(self) -> dict[str, Any]:
        return {"ready": self.linked, "config_revision": self.directory.revision, "calls": len(self.calls)}

    def asterisk_of(self, device: str) -> Config:
        return self.config

    async def doctor(self) -> list[dict[str, str]]:
        return await examine(self.config)

    async def reload(self) -> None:
        async with self.store.read() as session:
            self.directory = await directories.load(session, self.directory)
        self.hub.directory_changed()
        self.billing.changed()
        self.browsers.changed()

    def follow(self) -> None:
        """Go by every change of the store from now on."""

        def changed() -> None:
            task = asyncio.ensure_future(self.reload())
            self._reloading.add(task)
            task.add_done_callback(self._reloading.discard)

        self.store.on_change = changed


async def _at_home(host: str) -> list[str]:
    return ["127.0.0.1"]


async def _silence(leg: str) -> int | None:
    return None


def new_call() -> CallId:
    return CallId(ids.new(ids.CALL))


@dataclass
class Someone:
    """A user with ways in: a token with every scope, and a browser's cookie with its CSRF token."""

    user: User
    device: str
    token: str
    cookie: str
    csrf: str

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def browser(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookie}", CSRF_HEADER: self.csrf}


@dataclass
class World:
    engine: SmallEngine
    server: TestServer
    http: aiohttp.ClientSession
    people: dict[str, Someone] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Someone:
        people: dict[str, Someone] = self.__dict__.get("people", {})
        if name in people:
            return people[name]
        raise AttributeError(name)

    @property
    def door(self) -> Door:
        return self.server.app[DOOR]

    @property
    def proxies(self) -> SipProxies:
        return self.server.app[PROXIES]

    # -- asking -------------------------------------------------------------------------------------

    async def ask(
        self, method: str, path: str, who: Someone | None = None, body: Any = None, **more: Any
    ) -> tuple[int, Any]:
        """Status and what came back, read as JSON where it is. ``path`` is after the API's prefix."""
        headers = {**(who.bearer if who else {}), **more.pop("headers", {})}
        url = self.server.make_url((API if path.startswith("/") else "/") + path)
        async with self.http.request(method, url, json=body, headers=headers, **more) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, await response.json(content_type=None) if is_json and raw else raw

    # -- calls --------------------------------------------------------------------------------------

    def ring(self, who: Someone, caller: str = CUSTOMER, colleague: str = "") -> CallId:
        """Somebody outside calls this user, or a colleague (an id) from inside."""
        call = new_call()
        user = self.engine.directory.users[who.id]
        person = self.engine.persons.of(user, Direction.INBOUND)
        trunk = self.engine.directory.trunks[0].id
        event = Arrived(f"PJSIP-{call}", user.number or "", caller, "", trunk, True, person, colleague)
        self.engine.calls.begin(call, event, f"PJSIP-{call}")
        return call

    def talk(self, who: Someone, caller: str = CUSTOMER) -> CallId:
        """The user has answered an incoming call."""
        call = self.ring(who, caller)
        leg = self.leg(call, RingPhone)
        self.engine.calls.deliver(call, LegRinging(leg))
        self.engine.calls.deliver(call, LegAnswered(leg))
        return call

    def end(self, call: CallId) -> None:
        """Whatever is left of the call in the switch is gone."""
        found = self.engine.calls.get(call)
        for leg in list(found.legs) if found else ():
            self.engine.calls.deliver(call, LegEnded(leg, 16))

    def leg(self, call: CallId, kind: type[RingPhone] | type[DialOut]) -> LegId:
        stem = f"leg_{call[2:]}_"
        wanted = [each for each in self.engine.switch.commands if isinstance(each, kind)]
        return next(each.leg for each in wanted if each.leg.startswith(stem))

    async def stored(self) -> None:
        await self.engine.projector.flush()

    async def recorded(self, who: Someone, content: bytes) -> tuple[CallId, str]:
        """A call that is over, with its recording in place: the id of the call and of the recording."""
        call = self.talk(who)
        found = self.engine.calls.get(call)
        assert found is not None and found.recording is not None
        recording = found.recording
        self.end(call)
        name = f"{recording}.opus"
        (self.engine.recordings_dir / name).write_bytes(content)
        data: dict[str, object] = {
            "recording": recording,
            "state": "ready",
            "path": name,
            "peaks_path": None,
            "sha256": hashlib.sha256(content).hexdigest(),
            "codec": "opus",
            "channels": 2,
            "duration_ms": 1000,
            "bytes": len(content),
        }
        self.engine.calls.annotate(call, "recording.finished", data)
        await self.stored()
        return call, recording


@asynccontextmanager
async def open_world(store: Store, home: Path) -> AsyncIterator[World]:
    people = await _people(store)
    async with store.read() as session:
        directory = await directories.load(session)
    engine = SmallEngine(home, store, directory)
    for someone in people.values():
        engine.registrations.bindings[someone.device] = 1
    await engine.sums.catch_up()
    server = TestServer(make_app(engine))
    await server.start_server()
    loops = (
        engine.projector.run,
        engine.wrapup.run,
        engine.reminders.run,
        engine.dialer.run,
        engine.texting.run,
        engine.billing.run,
        engine.sums.run,
        engine.webhooks.run,
    )
    running = [asyncio.ensure_future(run()) for run in loops]
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield World(engine, server, http, people)
    finally:
        await server.close()
        web_app._cached_build_middleware.cache_clear()  # it keeps hundreds of servers, each with its engine
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await engine.public_http.close()
        await engine.sound.close()
        engine.journal.close()
    assert not engine.hub.undescribed, engine.hub.undescribed[:3]


async def _people(store: Store) -> dict[str, Someone]:
    """Two reps, a manager, an admin; recording is on and there is a way out."""
    found = {}
    async with store.write(SYSTEM) as work:
        await trunks.add(work, {"name": "Carrier", "host": "127.0.0.1", "match_addresses": ["127.0.0.1"]})
        await settings.change(work, "recording.enabled", True)
        await settings.change(work, "recording.follow_law", False)
        await settings.change(work, "gate.calling_hours", "off")
        for index, (name, role) in enumerate(
            (("mio", "rep"), ("sam", "rep"), ("alex", "manager"), ("robin", "admin")), 1
        ):
            made = await users.add(work, {"email": f"{name}@demo.example", "name": name.title(), "role": role})
            await numbers.add(work, {"number": f"+1415555010{index}", "user": made.id})
            device = await devices.add(work, {"user": made.id, "name": "Desk phone"})
            token = await tokens.add(work, made.id, {"name": "test", "scopes": ALL_SCOPES})
            login = await sessions.open(work, made.id, address="127.0.0.1", agent="test")
            user = await users.show(work.session, made.id)
            found[name] = Someone(user, device.device.id, token.secret, login.token, login.session.csrf)
    return found
