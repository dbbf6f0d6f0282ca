"""Puts the engine together: the only place that knows every part."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from crm import directory as directories
from crm import ids
from crm.directory import Directory
from crm.errors import Refused
from crm.migrations import migrate
from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.adapters.asterisk.ami import Ami, MixMonitor
from pbx.adapters.asterisk.ari import AriClient, AriError
from pbx.adapters.asterisk.browsers import BrowserEndpoints
from pbx.adapters.asterisk.dialling import APP
from pbx.adapters.asterisk.endings import Endings
from pbx.adapters.asterisk.fallback_log import FallbackCall, read_fallback_log
from pbx.adapters.asterisk.fence import AclFence
from pbx.adapters.asterisk.link import AsteriskLink
from pbx.adapters.asterisk.practice import PracticeCaller
from pbx.adapters.asterisk.presence import Registrations, address_of
from pbx.adapters.asterisk.provision import AsteriskProvisioner
from pbx.adapters.asterisk.remains import Remains
from pbx.adapters.asterisk.security_events import SecurityEvents
from pbx.adapters.asterisk.spool import Spool
from pbx.adapters.asterisk.survey import Survey
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.adapters.asterisk.translate import NewChannel
from pbx.adapters.clock import LoopClock
from pbx.adapters.disk import Disks
from pbx.adapters.names import addresses_of
from pbx.adapters.sound_worker import SoundWorker
from pbx.adapters.store.journal import FileJournal
from pbx.adapters.store.live_log import LiveLog
from pbx.adapters.store.projector import Projector
from pbx.config import Config
from pbx.core.events import Direction
from pbx.core.ids import CallId, Instant, call_of
from pbx.services.admission import Admission
from pbx.services.alerts import Alerts
from pbx.services.arrivals import Arrivals
from pbx.services.blocking import Blocking, Seen
from pbx.services.browsers import BrowserPhones
from pbx.services.browsers_told import BrowsersTold
from pbx.services.call_control import CallControl
from pbx.services.disk_guard import MB, DiskGuard
from pbx.services.drain import Drain
from pbx.services.emergency_calls import EmergencyCalls
from pbx.services.fallback_calls import FallbackCalls
from pbx.services.gatekeeper import Gate
from pbx.services.greetings import Greetings
from pbx.services.guests import Guests
from pbx.services.hub import Hub
from pbx.services.leftovers import Leftovers
from pbx.services.live_records import LiveRecords
from pbx.services.metrics import Metrics
from pbx.services.occupancy import Occupancy
from pbx.services.persons import Persons
from pbx.services.ports_provision import ProvisionError
from pbx.services.practice import Practice
from pbx.services.presence_view import PresenceView
from pbx.services.prompts import Prompts
from pbx.services.provisioning import browsers, provisioning
from pbx.services.recordings import Places, Recordings
from pbx.services.reminders import Reminders
from pbx.services.reloads import Reloads
from pbx.services.routing import Routing
from pbx.services.runtime import Calls, UnknownCall
from pbx.services.spending import Spending, month_began_us
from pbx.services.store_watch import StoreWatch
from pbx.services.stories import Stories
from pbx.services.switch_watch import SwitchWatch
from pbx.services.takeover import TakeOver
from pbx.services.toll_fraud import TollFraud
from pbx.services.transfers import Transfers
from pbx.services.trunk_health import TrunkHealth
from pbx.services.wrapup import WrapUp
from pbx.supervisor.doctor import examine
from pbx.web.server import WebServer

log = structlog.get_logger("engine")

DIRECTORY_POLL_S = 1.0
DRAIN_S = 5.0
GRACE_US = 1_000_000  # between what Asterisk writes down and what we do


class Engine:
    """One engine: one Asterisk, one store. ``start`` returns when calls are taken; ``stop`` loses nothing."""

    def __init__(self, config: Config, store: Store, directory: Directory) -> None:
        self.config, self.store, self._directory = config, store, directory
        self.clock = LoopClock()
        for place in (config.recordings, config.spool, config.journal):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.registrations = Registrations()
        self.records = LiveRecords()
        self.live_log = LiveLog(config.journal)
        self.journal = FileJournal(config.journal)
        self.alerts = Alerts(self.clock)
        self.store_watch = StoreWatch(self.alerts)
        self.projector = Projector(store, self.journal, self.records, self.store_watch)
        self._tasks: list[asyncio.Task[None]] = []
        self.browsers_told = BrowsersTold(lambda: self._directory, self._provision_browsers, (AriError, TimeoutError))
        self._linked_first = Instant(0)
        self._make_link()
        self._make_services()

    @property
    def directory(self) -> Directory:
        return self._directory

    @property
    def recordings_dir(self) -> Path:
        return self.config.recordings

    # -- put together -------------------------------------------------------------------------------

    def _make_link(self) -> None:
        config, secrets = self.config, self.config.secrets()
        self.ami = Ami("127.0.0.1", config.ami_port, "switchhook", secrets.ami, self._contact_changed)
        self.security = SecurityEvents(config.ami_port, "security", secrets.ami_security, self._security_seen)
        self.spool = Spool(config.spool)
        self.monitor = MixMonitor(self.ami, self.spool, self._recording_failed)
        prompts = Prompts(config.home / "prompts", config.cache / "prompts")
        self.switch = AriSwitch(self.monitor, prompts, lambda call, event: self.calls.deliver(call, event))
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
        etc = config.home / "asterisk" / "etc"
        in_memory = BrowserEndpoints(etc, lambda method, uri, body: self.ari.call(method, uri, body=body))
        self.provisioner = AsteriskProvisioner(etc, self._reload, in_memory)
        self.fence = AclFence(
            lambda method, uri, body: self.ari.call(method, uri, body=body),
            lambda method, uri, body: self.ari.send(method, uri, body=body, on_answer=lambda status, content: None),
        )

    def _make_services(self) -> None:
        now, config, directory = self.clock.now, self.config, lambda: self._directory
        self.browsers = BrowserPhones(directory, lambda: self.link.linked.is_set() and self.browsers_told.all)
        self.admission = Admission(lambda: self.ari.lag_s, lambda: len(self.calls), now)
        self.trunk_health = TrunkHealth(directory, now, self.alerts, self.registrations.reachable)
        self.link.on_registration = self.trunk_health.registration_changed
        self.routing = Routing(directory, now, self.trunk_health.trusted)
        self.spending = Spending(lambda: int(self._directory.settings["gate.minute_price_micros"]), now)
        self.drain = Drain(now, lambda: len(self.calls))
        gate = self.gate = Gate(directory, self.routing, self.spending, self._overloaded)
        self.calls = Calls(
            self.switch,
            self.journal,
            self.clock,
            gate,
            find_colleague=lambda number: self.persons.at(number, Direction.INTERNAL),
            find_guest=lambda digits, user_id: self.guests.keyed(digits, user_id),
            keeper=self.live_log,
        )
        occupancy = Occupancy(self.calls.get)
        self.disk_guard = DiskGuard(
            Disks((self.config.recordings, self.config.spool)).look,
            lambda: int(self._directory.settings["recording.lowest_free_mb"]),
            self.alerts,
        )
        self.persons = Persons(
            directory, self.registrations, occupancy.busy, lambda: self.disk_guard.withheld or "", str(config.greetings)
        )
        self.guests = Guests(directory, self.persons)
        self.reloads = Reloads(self.calls, directory, self.registrations, self.switch.packets_from)
        self.transfers = Transfers(self.calls, self.guests)
        self.link.on_attended = self.transfers.attended
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
        presence = PresenceView(directory, self.registrations.registered, occupancy.busy)
        self.blocking = Blocking(self.store, directory, self.alerts, self.clock, self.fence, addresses_of)
        self.hub = Hub(self.records, presence, directory, self.clock, alerts=lambda: self.alerts.standing)
        self.metrics = Metrics(self.records)
        self.alerts.watchers += [self.hub.alert_changed, self.metrics.alert_changed]
        self.switch.on_answered = self.metrics.answer_took
        self.sound = SoundWorker(self.config.recordings)
        self.greetings = Greetings(self.store, self.sound, self.config.greetings)
        self.recordings = Recordings(
            self.calls,
            self.records,
            self.sound,
            self._places(),
            lambda: str(self._directory.settings["recording.codec"]),
            self.disk_guard,
        )
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
        )
        self.stories = Stories(self.store, self.calls)
        self.wrapup, self.reminders = WrapUp(self.store, self.hub), Reminders(self.store, self.hub)
        self.projector.on_stored = self.wrapup.stored
        self.calls.observers += [
            self.records,
            self.admission,
            occupancy,
            self.routing,
            self.trunk_health,
            self.recordings,
            self.hub,
            self.metrics,
            self.stories,
            TollFraud(self.records, directory, self.alerts),
            EmergencyCalls(self.records, directory, self.alerts),
        ]
        self.takeover = TakeOver(
            self.calls,
            self.journal,
            self.gate,
            Survey(self.ari, self.switch, self.monitor, self.endings, lambda: self.switch_watch.lost_at),
            [self.records, occupancy, self.routing, self.recordings, self.stories],
        )
        self.practice = Practice(PracticeCaller(self.config))
        self.web = WebServer(self)

    @property
    def _voicemails(self) -> Path:
        return self.config.home / "asterisk" / "spool" / "recording"

    def _unheard(self) -> list[FallbackCall]:
        """What came while no engine listened, though Asterisk took it that one did; until we were there ourselves."""
        if not self.live_log.since or not self._linked_first:
            return []
        since = Instant(self.live_log.since + GRACE_US)
        return self.endings.unheard(since, Instant(self._linked_first + GRACE_US), self.live_log.channels)

    def _places(self) -> Places:
        return Places(
            raw=self.spool.path,
            voicemail=lambda name: self._voicemails / f"{name}.wav",
            settled=self.monitor.settled,
            release=self.spool.release,
        )

    # -- run ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take over what an earlier run left, connect to Asterisk, listen for people."""
        self.takeover.begin(self.live_log.take_over())
        await self.disk_guard.look()
        recovered = await self.projector.recover()
        if recovered:
            log.info("journal.recovered", facts=recovered)
        async with self.store.read() as session:
            self.spending.load(await call_log.minutes_by_user(session, month_began_us(self.clock.now())))
        self._run(
            self.projector.run,
            self.journal.flush_forever,
            self.link.run,
            self.stories.run,
            self.wrapup.run,
            self.reminders.run,
            self._watch_directory,
            self.blocking.run,
            self.security.run,
        )
        self._run(self.disk_guard.run)
        await self.web.start()
        self._run(lambda: self.leftovers.run(self.link.linked), lambda: self.fallback_calls.run(self.link.linked))
        log.info("engine.started", address=f"http://{self.config.http_host}:{self.config.http_port}")

    async def until_linked(self, deadline_s: float = 30.0) -> None:
        await asyncio.wait_for(self.link.linked.wait(), deadline_s)

    async def stop(self) -> None:
        """Let go of everything in order; calls that are up stay up in Asterisk."""
        await self.web.stop()
        self.reloads.stop()
        await self.recordings.drain(DRAIN_S)
        self.calls.let_go()
        self.browsers_told.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ari.close()
        await self.aside.close()
        self.ami.close()
        await self.sound.close()
        self.journal.close()
        self.live_log.close()
        await self.store.close()

    def ready(self) -> dict[str, object]:
        """What a health check wants to know; ``ready`` is the sum of it."""
        linked = self.link.linked.is_set()
        return {
            "ready": linked and not self.drain.on,
            "reason": "draining" if self.drain.on else "" if linked else "asterisk_away",
            "draining": self.drain.on,
            "asterisk": linked,
            "asterisk_version": self.link.version,
            "manager": self.ami.connected,
            "config_revision": self._directory.revision,
            "journal_lag": self.projector.lag,
            "recordings_waiting": self.recordings.waiting,
            "calls": len(self.calls),
            "overloaded": self.admission.overloaded(),
            "intruders_heard": self.security.connected,
            "disk_free_mb": self.disk_guard.room.free_bytes // MB,
            "recording_withheld": self.disk_guard.withheld is not None,
        }

    async def doctor(self) -> list[dict[str, str]]:
        return await examine(self.config)

    def _run(self, *loops: Callable[[], Awaitable[None]]) -> None:
        for run in loops:
            task = asyncio.ensure_future(run())
            task.add_done_callback(_died)
            self._tasks.append(task)

    # -- what comes from outside --------------------------------------------------------------------

    def _channel_came(self, channel: NewChannel) -> None:
        """A fault of ours must not leave anybody waiting in silence: the dialplan does what it does without us."""
        if self.drain.hands_over:
            self._hand_over(channel)
            return
        arrive = self.arrivals.from_trunk if channel.kind == "inbound" else self.arrivals.from_phone
        try:
            arrive(channel)
        except Exception:
            log.exception("engine.arrival_failed", channel=channel.channel, exten=channel.exten)
            self._hand_over(channel)

    def _hand_over(self, channel: NewChannel) -> None:
        """To the dialplan, as if there were no engine; the call comes into the log when it is over."""
        self.switch.give_back(channel)
        self.fallback_calls.handed_over()

    def _overloaded(self) -> bool:
        """Whether new calls are to be refused, to come again later or elsewhere."""
        return self.admission.overloaded() or self.drain.refuses

    def _contact_changed(self, device: str, uri: str, status: str) -> None:
        if self.registrations.changed(device, uri, status):
            self.hub.registration_changed(device)
            if device.startswith(ids.BROWSER):
                self.reloads.registered(device)
        if status != "Removed":  # by a change of the configuration: it says nothing of whether it answers
            self.trunk_health.options_changed(device)
        if status != "Removed" and (address := address_of(uri)) and device.startswith(ids.DEVICE):
            self.blocking.phone_is_at(address, device)

    def _security_seen(self, what: str, address: str, account: str) -> None:
        self.blocking.seen(Seen(what, address, account))

    def _recording_failed(self, recording: str, why: str) -> None:
        """The call goes on; that it is not recorded must be seen (V10)."""
        call = call_of(recording)
        if call is not None:
            with contextlib.suppress(UnknownCall):
                self.calls.annotate(
                    call, "recording.finished", {"recording": recording, "state": "failed", "problem": why}
                )

    async def _linked(self) -> None:
        """Asterisk may be a new one that has read nothing yet: tell it everything. What is configured meanwhile is
        not told by anybody else, as there is no link yet."""
        for trunk in filter(lambda trunk: self.registrations.reachable(trunk.id), self._directory.trunks):
            self.trunk_health.options_changed(trunk.id)  # of the others, a new Asterisk does not know yet
        told = None
        while told is not self._directory:
            told = self._directory
            await self._provision(told, force=True)
        for address, device in self.registrations.addresses(ids.DEVICE):
            self.blocking.phone_is_at(address, device)
        self.fence.distrust()
        self.blocking.asterisk_is_new()
        self.browsers_told.begin()
        self._linked_first = self._linked_first or self.clock.now()
        self.switch_watch.linked(self.link.started, await self.takeover.catch_up())
        self.reloads.taken_over()
        self.endings.trim()

    async def _provision(self, directory: Directory, *, force: bool = False) -> None:
        """A value that no switch can be given must not keep the next change from taking effect: it is said aloud."""
        try:
            await self.provisioner.apply(provisioning(directory, str(self.config.spool)), force=force)
        except ProvisionError as error:
            log.critical("provisioning.refused", why=str(error))

    async def _provision_browsers(self, directory: Directory) -> None:
        try:
            await self.provisioner.apply_browsers(browsers(directory))
        except ProvisionError as error:
            log.critical("provisioning.refused", why=str(error))

    def _known(self, channel: str) -> bool:
        leg = self.switch.leg_of(channel)
        call = call_of(leg) if leg else None
        return call is not None and self.calls.get(call) is not None

    async def _reload(self, module: str) -> None:
        await self.ari.call("PUT", f"asterisk/modules/{module}")

    async def _watch_directory(self) -> None:
        """A change reaches the next call (A2): at once where it was made here, else with the next look."""
        changed = asyncio.Event()
        self.store.on_change = changed.set
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), DIRECTORY_POLL_S)
            changed.clear()
            try:
                await self._reread()
                self.store_watch.back("reading")
            except Refused as error:
                self.store_watch.away("reading", error.message)
                log.warning("directory.unreadable", why=error.message)
            except Exception:
                log.exception("directory.not_applied")

    async def _reread(self) -> None:
        async with self.store.read() as session:
            if await directories.current_revision(session) == self._directory.revision:
                return
            fresh = await directories.load(session, self._directory)
        before = self._directory
        if fresh.configured != before.configured:
            await self._take_over(fresh)
        else:
            await self._take_over_browsers(fresh)
        self.registrations.forget(
            {device.id for device in before.browsers()} - {device.id for device in fresh.browsers()}
        )
        self.browsers.changed()

    async def _take_over(self, fresh: Directory) -> None:
        if self.link.linked.is_set():
            await self._provision(fresh)
        self._directory = fresh
        self.blocking.changed()
        self.trunk_health.directory_changed()
        self.hub.directory_changed()

    async def _take_over_browsers(self, fresh: Directory) -> None:
        """Somebody has signed in or out: nothing is written, reloaded or told to all."""
        if self.link.linked.is_set():
            await self._provision_browsers(fresh)
        others = set(fresh.browsers()) ^ set(self._directory.browsers())
        self._directory = fresh
        self.hub.phones_changed({device.user_id for device in others})


def new_call() -> CallId:
    return CallId(ids.new(ids.CALL))


async def open_engine(config: Config) -> Engine:
    """An engine on its migrated store, not started yet."""
    await migrate(config.database_url)
    store = Store(config.database_url)
    async with store.read() as session:
        directory = await directories.load(session)
    return Engine(config, store, directory)


def _died(task: asyncio.Task[None]) -> None:
    """None of these tasks may end while the engine runs: half an engine is worse than one that is started again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("engine.task_died", error=repr(task.exception()))
        signal.raise_signal(signal.SIGTERM)
