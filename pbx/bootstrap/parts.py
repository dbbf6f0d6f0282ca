"""Puts the parts of an engine together."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from crm import ids
from crm.directory import Directory
from crm.unit_of_work import Store
from pbx.adapters.asterisk.ami import Ami, MixMonitor
from pbx.adapters.asterisk.ari import AriClient, AriError
from pbx.adapters.asterisk.browsers import BrowserEndpoints
from pbx.adapters.asterisk.dialling import APP
from pbx.adapters.asterisk.edge import edge_of, machines_of
from pbx.adapters.asterisk.endings import Endings
from pbx.adapters.asterisk.fallback_log import FallbackCall, read_fallback_log
from pbx.adapters.asterisk.fence import AclFence
from pbx.adapters.asterisk.instance import prompts_of
from pbx.adapters.asterisk.link import AsteriskLink
from pbx.adapters.asterisk.practice import PracticeCaller
from pbx.adapters.asterisk.presence import Registrations
from pbx.adapters.asterisk.provision import AsteriskProvisioner
from pbx.adapters.asterisk.remains import Remains
from pbx.adapters.asterisk.security_events import SecurityEvents
from pbx.adapters.asterisk.spool import Spool
from pbx.adapters.asterisk.survey import Survey
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
from pbx.config import Config
from pbx.core.events import Direction
from pbx.core.ids import CallId, Instant
from pbx.services.admission import Admission
from pbx.services.alert_log import AlertLog
from pbx.services.alerts import Alerts
from pbx.services.arrivals import Arrivals
from pbx.services.billing import Billing
from pbx.services.blocking import Blocking
from pbx.services.browsers import BrowserPhones
from pbx.services.browsers_told import BrowsersTold
from pbx.services.call_control import CallControl
from pbx.services.calling_hours import LawfulHours
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
from pbx.services.switch_watch import SwitchWatch
from pbx.services.takeover import TakeOver
from pbx.services.texting import Texting
from pbx.services.toll_fraud import TollFraud
from pbx.services.transfers import Transfers
from pbx.services.trunk_health import TrunkHealth
from pbx.services.voicemail_mail import VoicemailMail
from pbx.services.webhooks import Webhooks
from pbx.services.wrapup import WrapUp
from pbx.web.server import WebServer

GRACE_US = 1_000_000  # between what Asterisk writes down and what we do


class Parts(ABC):
    """Every part of an engine, each knowing those it needs. What they report is for the engine itself."""

    def __init__(self, config: Config, store: Store, directory: Directory) -> None:
        self.config, self.store, self._directory = config, store, directory
        self.clock = LoopClock()
        for place in (config.recordings, config.spool, config.journal):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.registrations = Registrations()
        self.records = LiveRecords()
        self.live_log = LiveLog(config.journal, locked=not is_shared(config))
        self.journal = FileJournal(config.journal)
        self.alerts = Alerts(self.clock)
        self.store_watch = StoreWatch(self.alerts)
        self.projector = Projector(store, self.journal, self.records, self.store_watch)
        self._tasks: list[asyncio.Task[None]] = []
        self.browsers_told = BrowsersTold(lambda: self._directory, self._provision_browsers, (AriError, TimeoutError))
        self._linked_first = Instant(0)
        self._told_of_credit = True
        self._make_switch()
        self._make_link()
        self._make_provisioning()
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

    def _make_switch(self) -> None:
        """Asterisk's media, and what it says of who asks for it."""
        config, secrets = self.config, self.config.secrets()
        self.ami = Ami("127.0.0.1", config.ami_port, "switchhook", secrets.ami, self._contact_changed)
        self.sip_texts = SipTexts(self.ami, config.home / "asterisk" / "spool" / "texts")
        self.public_http = PublicHttp(config.outgoing_nets)
        self.security = SecurityEvents(config.ami_port, "security", secrets.ami_security, self._security_seen)
        self.spool = Spool(config.spool)
        self.monitor = MixMonitor(self.ami, self.spool, self._recording_failed)
        prompts = prompts_of(config)
        self.switch = AriSwitch(self.monitor, prompts, lambda call, event: self.calls.deliver(call, event))

    def _make_link(self) -> None:
        """Asterisk's events and our commands."""
        config, secrets = self.config, self.config.secrets()
        base = f"http://{config.ari_host}:{config.ari_port}"
        self.ari = AriClient(base, "switchhook", secrets.ari, APP, lambda event: self.link.received(event))
        self.aside = AriClient(base, "switchhook", secrets.ari, f"{APP}-aside", lambda event: None)
        self.link = AsteriskLink(
            self.ari,
            self.aside,
            self.ami,
            self.switch,
            self.registrations,
            lambda call, event: self.calls.deliver(call, event),
            self._channel_came,
            self._linked,
        )
        self.switch_watch = SwitchWatch(self.clock.now, self.alerts, config.home / "asterisk" / "log")
        self.link.on_lost = self.switch_watch.lost

    def _make_provisioning(self) -> None:
        """What Asterisk has to know of users, phones and trunks."""
        etc = self.config.home / "asterisk" / "etc"
        in_memory = BrowserEndpoints(etc, lambda method, uri, body: self.ari.call(method, uri, body=body))
        self.provisioner = AsteriskProvisioner(etc, self._reload, in_memory, edge_of(self.config))
        self.fence = AclFence(
            lambda method, uri, body: self.ari.call(method, uri, body=body),
            lambda method, uri, body: self.ari.send(method, uri, body=body, on_answer=lambda status, content: None),
        )

    def _make_ways(self) -> None:
        """Who may call where, and by which way out."""
        now, directory = self.clock.now, self._current
        self.browsers = BrowserPhones(directory, lambda: self.link.linked.is_set() and self.browsers_told.all)
        self.admission = Admission(lambda: self.ari.lag_s, lambda: len(self.calls), now, self._shed)
        self.trunk_health = TrunkHealth(directory, now, self.alerts, self.registrations.reachable)
        self.link.on_registration = self.trunk_health.registration_changed
        self.routing = Routing(directory, now, self.trunk_health.trusted)
        self.prices = Prices(self.store, directory, now)
        self.spending = Spending(self.prices.call, now)
        self.drain = Drain(now, lambda: len(self.calls))
        self.gate = Gate(directory, self.routing, self.spending, self._overloaded, now)

    def _make_calls(self) -> None:
        self.calls = Calls(
            self.switch,
            self.journal,
            self.clock,
            self.gate,
            find_colleague=lambda number: self.persons.at(number, Direction.INTERNAL),
            find_guest=lambda digits, user_id: self.guests.keyed(digits, user_id),
            keeper=self.live_log,
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
        self.reloads = Reloads(self.calls, directory, self.registrations, self.switch.packets_from)
        self.transfers = Transfers(self.calls, self.guests)
        self.link.on_attended = self.transfers.attended

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
            lambda: self.link.linked.is_set(),
            self.records.last_used,
            self.admission.overloaded,
            lambda: self.drain.on,
        )

    def _make_views(self) -> None:
        """What people and machines are shown."""
        directory = self._current
        presence = PresenceView(directory, self.registrations.registered, self.occupancy.busy)
        machines = machines_of(self.config)
        self.blocking = Blocking(self.store, directory, self.alerts, self.clock, self.fence, addresses_of, machines)
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
        self.switch.on_answered = self.metrics.answer_took
        self.hours = LawfulHours(self._current)
        self.dialer = Dialer(
            self.store,
            self.hub,
            Steps(self.store, self.control, self.gate, self.hours),
            self.records,
            self.occupancy.busy,
            lambda: self.link.linked.is_set(),
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
        self.leftovers = Leftovers(
            self.store,
            self.calls,
            self.recordings,
            self.config.spool,
            self._voicemails,
            Remains(self.ari, self._known),
            lambda call: self.records.get(call) is not None,
        )
        logs = self.config.home / "asterisk" / "log"
        self.endings = Endings(logs, self.switch.leg_of)
        self.fallback_calls = FallbackCalls(
            self.store,
            self.calls,
            directory,
            lambda: [*read_fallback_log(logs), *self._unheard()],
            self.spool.adopt,
            lambda: self.link.began_s,
            lambda: self.clock.now() > self._linked_first + 2 * GRACE_US,
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
            self.admission,
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
            Survey(self.ari, self.switch, self.monitor, self.endings, lambda: self.switch_watch.lost_at),
            [self.records, self.occupancy, self.routing, self.recordings, self.stories],
        )
        self.practice = Practice(PracticeCaller(self.config))
        self.bill_printer = BillPrinter(self.config.database_url, self.config.paper_font)
        self.web = WebServer(self)

    @property
    def _voicemails(self) -> Path:
        return self.config.home / "asterisk" / "spool" / "recording"

    def _stored(self, lines: Sequence[Line]) -> None:
        self.wrapup.stored(lines)
        self.billing.stored(lines)
        self.webhooks.stored(lines)

    def _unheard(self) -> list[FallbackCall]:
        """What came while no engine listened, though Asterisk took it that one did; until we were there ourselves."""
        if not self.live_log.since or not self._linked_first:
            return []
        since, until = self.live_log.since + GRACE_US, self._linked_first + GRACE_US
        heard_until = Instant(self.clock.now() - GRACE_US)
        return self.endings.unheard(Instant(since), Instant(until), self.live_log.channels, heard_until)

    def _places(self) -> Places:
        return Places(
            raw=self.spool.path,
            voicemail=lambda name: self._voicemails / f"{name}.wav",
            settled=self.monitor.settled,
            release=self.spool.release,
        )

    # -- what comes from outside: see the engine ------------------------------------------------------

    @abstractmethod
    def _channel_came(self, channel: NewChannel) -> None: ...
    @abstractmethod
    def _overloaded(self) -> bool: ...
    @abstractmethod
    def _shed(self, percent: int, for_s: int) -> None: ...
    @abstractmethod
    def _contact_changed(self, device: str, uri: str, status: str) -> None: ...
    @abstractmethod
    def _security_seen(self, what: str, address: str, account: str) -> None: ...
    @abstractmethod
    def _recording_failed(self, recording: str, why: str) -> None: ...
    @abstractmethod
    async def _linked(self) -> None: ...
    @abstractmethod
    async def _provision_browsers(self, directory: Directory) -> None: ...
    @abstractmethod
    async def _reload(self, module: str) -> None: ...
    @abstractmethod
    def _known(self, channel: str) -> bool: ...
    @abstractmethod
    def ready(self) -> dict[str, object]: ...
    @abstractmethod
    async def doctor(self) -> list[dict[str, str]]: ...


def new_call() -> CallId:
    return CallId(ids.new(ids.CALL))
