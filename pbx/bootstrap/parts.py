"""Puts the parts of an engine together."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from crm import ids
from crm.directory import Directory
from crm.unit_of_work import Store
from pbx.adapters.asterisk.ami import Ami
from pbx.adapters.asterisk.ari import AriClient
from pbx.adapters.asterisk.edge import machines_of
from pbx.adapters.asterisk.fallback_log import FallbackCall
from pbx.adapters.asterisk.link import AsteriskLink
from pbx.adapters.asterisk.practice import PracticeCaller
from pbx.adapters.asterisk.spool import Spool
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.adapters.asterisk.texts import SipTexts
from pbx.adapters.asterisk.translate import NewChannel
from pbx.adapters.bill_pdf import BillPrinter
from pbx.adapters.clock import LoopClock
from pbx.adapters.disk import Disks
from pbx.adapters.import_worker import ImportWorker
from pbx.adapters.mail import SmtpMail
from pbx.adapters.names import addresses_of
from pbx.adapters.public_http import PublicHttp
from pbx.adapters.sms.makers import transport_makers
from pbx.adapters.sound_worker import SoundWorker
from pbx.adapters.store.journal import FileJournal, Line
from pbx.adapters.store.live_log import LiveLog
from pbx.adapters.store.projector import Projector
from pbx.adapters.store.turn import engine_name, is_shared
from pbx.adapters.webhook_post import WebhookPost
from pbx.bootstrap.node import AsteriskNode
from pbx.bootstrap.nodes import Nodes
from pbx.config import Config
from pbx.core.events import Direction, Event
from pbx.core.ids import CallId
from pbx.services.admission import Admission
from pbx.services.alert_log import AlertLog
from pbx.services.alerts import Alerts
from pbx.services.arrivals import Arrivals
from pbx.services.billing import Billing
from pbx.services.blocking import Blocking
from pbx.services.browsers import BrowserPhones
from pbx.services.call_control import CallControl
from pbx.services.calling_hours import LawfulHours
from pbx.services.changes import Changes
from pbx.services.dialer import Dialer
from pbx.services.dialer_steps import Steps
from pbx.services.digests import Digests
from pbx.services.disk_guard import DiskGuard
from pbx.services.drain import Drain
from pbx.services.drops import Drops
from pbx.services.emergency_calls import EmergencyCalls
from pbx.services.erasure_list import ErasureList
from pbx.services.fallback_calls import FallbackCalls
from pbx.services.gatekeeper import Gate
from pbx.services.greetings import Greetings
from pbx.services.guests import Guests
from pbx.services.hub import Hub
from pbx.services.imports import Imports
from pbx.services.leftovers import Leftovers
from pbx.services.live_records import LiveRecords
from pbx.services.metrics import Metrics
from pbx.services.occupancy import Occupancy
from pbx.services.overload import Overload
from pbx.services.persons import Persons
from pbx.services.practice import Practice
from pbx.services.presence_view import PresenceView
from pbx.services.prices import Prices
from pbx.services.recordings import Places, Recordings
from pbx.services.reloads import Reloads
from pbx.services.reminders import Reminders
from pbx.services.retention import Places as Kept
from pbx.services.retention import Retention
from pbx.services.routing import Routing
from pbx.services.runtime import Calls
from pbx.services.spending import Spending
from pbx.services.store_watch import StoreWatch
from pbx.services.stories import Stories
from pbx.services.sums import Sums
from pbx.services.takeover import TakeOver
from pbx.services.texting import Texting
from pbx.services.toll_fraud import TollFraud
from pbx.services.transfers import Transfers
from pbx.services.trunk_health import TrunkHealth
from pbx.services.voicemail_mail import VoicemailMail
from pbx.services.webhooks import Webhooks
from pbx.services.wrapup import WrapUp
from pbx.web.server import WebServer


class Parts(ABC):
    """Every part of an engine, each knowing those it needs. What they report is for the engine itself."""

    def __init__(self, config: Config, store: Store, directory: Directory) -> None:
        self.config, self.store, self._directory = config, store, directory
        self.changes = Changes()
        self.clock = LoopClock()
        for place in (config.recordings, config.spool, config.journal):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.records = LiveRecords()
        self.live_log = LiveLog(config.journal, locked=not is_shared(config))
        self.journal = FileJournal(config.journal)
        self.alerts = Alerts(self.clock)
        self.store_watch = StoreWatch(self.alerts)
        self.projector = Projector(store, self.journal, self.records, self.store_watch)
        self._tasks: list[asyncio.Task[None]] = []
        self._told_of_credit = True
        self._arriving: AsteriskNode | None = None
        self._make_nodes()
        self._make_ways()
        self._make_calls()
        self._make_people()
        self._make_control()
        self._make_views()
        self._make_sound()
        self._make_leftovers()
        self._make_observers()
        self._make_takeover()

    @property
    def directory(self) -> Directory:
        return self._directory

    @property
    def recordings_dir(self) -> Path:
        return self.config.recordings

    def _current(self) -> Directory:
        return self._directory

    # -- put together -------------------------------------------------------------------------------

    def _make_nodes(self) -> None:
        """The Asterisks, and what is asked of all of them together."""
        self.public_http = PublicHttp(self.config.outgoing_nets)
        self.spool = Spool(self.config.spool)
        made = [
            AsteriskNode(name, config, self.config, self.spool, self) for name, config in self.config.asterisks.items()
        ]
        for node in made:
            node.watched(self.clock.now, self.alerts, self._current)
        self.nodes = nodes = Nodes(made)
        self.registrations = nodes.registrations if nodes.many else nodes.one.registrations
        self.sip_texts = SipTexts([(node.ami, node.texts) for node in nodes.all])

    @property
    def ami(self) -> Ami:
        return self.nodes.one.ami

    @property
    def ari(self) -> AriClient:
        return self.nodes.one.ari

    @property
    def link(self) -> AsteriskLink:
        return self.nodes.one.link

    @property
    def switch(self) -> AriSwitch:
        """Of the only Asterisk, or of the first."""
        return self.nodes.one.switch

    def _make_ways(self) -> None:
        """Who may call where, and by which way out."""
        now, directory = self.clock.now, self._current
        self.browsers = BrowserPhones(directory, lambda: any(node.browsers_told.all for node in self.nodes.there))
        self.overload = Overload(self.clock, self.alerts, lambda: self.fallback_calls.handed_over())
        for node in self.nodes.all:
            node.admission = self._admission(node)
            node.ami.hear("SwitchhookRefusing", lambda event: self.overload.heard())
        self.trunk_health = TrunkHealth(directory, now, self.alerts, self.registrations.reachable)
        for node in self.nodes.all:
            node.link.on_registration = self.trunk_health.registration_changed
        self.routing = Routing(directory, now, self.trunk_health.trusted)
        self.prices = Prices(self.store, directory, now)
        self.spending = Spending(self.prices.call, now)
        self.drain = Drain(now, lambda: len(self.calls))
        self.gate = Gate(directory, self.routing, self.spending, self._overloaded, now)

    def _admission(self, node: AsteriskNode) -> Admission:
        """Measured by each Asterisk's own answers."""
        calls = (lambda: self.nodes.count(node)) if self.nodes.many else (lambda: len(self.calls))
        return Admission(
            lambda: node.ari.lag_s, calls, self.clock.now, lambda percent, for_s: self._shed(node, percent, for_s)
        )

    def _make_calls(self) -> None:
        nodes = self.nodes
        self.calls = Calls(
            nodes.switch if nodes.many else nodes.one.switch,
            self.journal,
            self.clock,
            self.gate,
            find_colleague=lambda number: self.persons.at(number, Direction.INTERNAL),
            find_guest=lambda digits, user_id: self.guests.keyed(digits, user_id),
            keeper=self.live_log,
            placement=nodes.switch if nodes.many else None,
        )

    def _make_people(self) -> None:
        """Who is reached how."""
        directory = self._current
        self.occupancy = Occupancy(self.calls.get)
        self.disk_guard = DiskGuard(
            Disks((self.config.recordings, self.config.spool)).look,
            lambda: int(self._directory.settings["recording.lowest_free_mb"]),
            self.alerts,
        )
        self.persons = Persons(
            directory,
            self.registrations,
            self.occupancy.busy,
            lambda: self.disk_guard.withheld or "",
            str(self.config.greetings),
        )
        self.guests = Guests(directory, self.persons)
        switch = self.nodes.switch if self.nodes.many else self.nodes.one.switch
        self.reloads = Reloads(self.calls, directory, self.registrations, switch.packets_from)
        self.transfers = Transfers(self.calls, self.guests)
        for node in self.nodes.all:
            node.link.on_attended = self.transfers.attended

    def _make_control(self) -> None:
        """What comes, and who may ask what of a call."""
        directory = self._current
        self.arrivals = Arrivals(self.calls, directory, self.persons, new_call, self._overloaded)
        self.control = CallControl(
            self.calls,
            directory,
            self.persons,
            self.guests,
            self.registrations,
            new_call,
            lambda: self.nodes.linked.is_set(),
            self.records.last_used,
            lambda: self.nodes.overloaded(),
            lambda: self.drain.on,
        )

    def _make_views(self) -> None:
        """What people and machines are shown."""
        directory = self._current
        presence = PresenceView(directory, self.registrations.registered, self.occupancy.busy)
        fence = self.nodes.fences if self.nodes.many else self.nodes.one.fence
        machines = machines_of(self.config)
        self.blocking = Blocking(self.store, directory, self.alerts, self.clock, fence, addresses_of, machines)
        self.hub = Hub(self.records, presence, directory, self.clock, alerts=lambda: self.alerts.standing)
        self.metrics = Metrics(self.records)
        worker = engine_name(self.config)
        makers = transport_makers(self.sip_texts, self.public_http, self.config.spool / "texts", directory)
        self.texting = Texting(self.store, self.hub, directory, makers, self.config.attachments, worker)
        self.billing = Billing(
            self.store, self.prices, self.spending, directory, self.hub, self.alerts, self.metrics, self.clock
        )
        post = WebhookPost(self.public_http)
        self.webhooks = Webhooks(self.store, post, directory, self.alerts, worker=worker)
        mail = SmtpMail(self.config)
        self.digests = Digests(self.store, mail)
        self.voicemail_mail = VoicemailMail(self.store, mail, directory, self.config.recordings)
        self.alert_log = AlertLog(self.store, worker)
        self.alerts.watchers += [self.hub.alert_changed, self.metrics.alert_changed, self.alert_log.changed]
        for node in self.nodes.all:
            node.switch.on_answered = self.metrics.answer_took
        self.hours = LawfulHours(self._current)
        self.dialer = Dialer(
            self.store,
            self.hub,
            Steps(self.store, self.control, self.gate, self.hours),
            self.records,
            self.occupancy.busy,
            lambda: self.nodes.linked.is_set(),
        )

    def _make_sound(self) -> None:
        """Recordings, greetings and what is imported."""
        self.sound = SoundWorker(self.config.recordings)
        self.greetings = Greetings(self.store, self.sound, self.config.greetings)
        self.drops = Drops(self.store, self.sound, self.config.drops)
        self.imports = Imports(self.config.imports, ImportWorker(self.config.database_url))
        kept = Kept(self.config.recordings, self.config.attachments)
        erased = ErasureList(self.config.erasures)
        self.retention = Retention(self.store, kept, erased, lambda: self._directory.settings)
        self.recordings = Recordings(
            self.calls,
            self.records,
            self.sound,
            self._places(),
            lambda: str(self._directory.settings["recording.codec"]),
            self.disk_guard,
        )

    def _make_leftovers(self) -> None:
        """What other runs left, and calls that Asterisk took alone."""
        directory = self._current
        nodes = self.nodes
        self.leftovers = Leftovers(
            self.store,
            self.calls,
            self.recordings,
            self.config.spool,
            [node.voicemails for node in nodes.all],
            nodes.remains if nodes.many else nodes.one.remains,
            lambda call: self.records.get(call) is not None,
        )
        self.fallback_calls = FallbackCalls(
            self.store,
            self.calls,
            directory,
            self._handled_alone,
            self.spool.adopt,
            lambda channel: nodes.of_channel(channel).link.began_s,
            lambda: all(node.read_up(self.clock.now()) for node in nodes.all),
        )

    def _make_observers(self) -> None:
        """Who is told of what happens in calls, in this order."""
        directory = self._current
        self.stories = Stories(self.store, self.calls)
        self.wrapup, self.reminders = WrapUp(self.store, self.hub), Reminders(self.store, self.hub)
        self.sums = Sums(self.store)
        self.projector.on_stored = self._stored
        self.calls.observers += [
            self.records,
            self.nodes if self.nodes.many else self.nodes.one.admission,
            self.occupancy,
            self.routing,
            self.trunk_health,
            self.recordings,
            self.hub,
            self.metrics,
            self.stories,
            self.dialer,
            TollFraud(self.records, directory, self.alerts),
            EmergencyCalls(self.records, directory, self.alerts),
        ]

    def _make_takeover(self) -> None:
        """What begins again where the engine before ended; then whoever asks can be answered."""
        self.takeover = TakeOver(
            self.calls,
            self.journal,
            self.gate,
            self.nodes.one.survey,
            [self.records, self.occupancy, self.routing, self.recordings, self.stories],
        )
        self.practice = Practice(PracticeCaller(self.config))
        self.bill_printer = BillPrinter(self.config.database_url, self.config.paper_font)
        self.web = WebServer(self)

    def _stored(self, lines: Sequence[Line]) -> None:
        self.wrapup.stored(lines)
        self.billing.stored(lines)
        self.webhooks.stored(lines)

    def _handled_alone(self) -> list[FallbackCall]:
        since, channels, now = self.live_log.since, self.live_log.channels, self.clock.now()
        return [call for node in self.nodes.all for call in node.fallback_calls(since, channels, now)]

    def _places(self) -> Places:
        return Places(
            raw=self.spool.path,
            voicemail=self.nodes.voicemail,
            settled=self.nodes.recorded,
            release=self.spool.release,
        )

    def asterisk_of(self, device: str) -> Config:
        return self.nodes.for_browser(device).config

    def deliver(self, call: CallId, event: Event) -> None:
        self.calls.deliver(call, event)

    # -- what comes from outside: see the engine ------------------------------------------------------

    @abstractmethod
    def channel_came(self, node: AsteriskNode, channel: NewChannel) -> None: ...
    @abstractmethod
    def contact_changed(self, node: AsteriskNode, device: str, uri: str, status: str) -> None: ...
    @abstractmethod
    def security_seen(self, what: str, address: str, account: str) -> None: ...
    @abstractmethod
    def recording_failed(self, recording: str, why: str) -> None: ...
    @abstractmethod
    def known(self, node: AsteriskNode, channel: str) -> bool: ...
    @abstractmethod
    async def linked(self, node: AsteriskNode) -> None: ...
    @abstractmethod
    async def tell_of_browsers(self, node: AsteriskNode, directory: Directory) -> None: ...
    @abstractmethod
    def _overloaded(self) -> bool: ...
    @abstractmethod
    def _shed(self, node: AsteriskNode, percent: int, for_s: int) -> None: ...
    @abstractmethod
    def ready(self) -> dict[str, object]: ...
    @abstractmethod
    async def doctor(self) -> list[dict[str, str]]: ...


def new_call() -> CallId:
    return CallId(ids.new(ids.CALL))
