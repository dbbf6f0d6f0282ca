"""The engine as it runs: what starts and ends it, and what it does with what comes from outside."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import structlog

from crm import directory as directories
from crm import ids
from crm.directory import Directory
from crm.errors import Refused
from pbx.adapters.asterisk.presence import address_of
from pbx.adapters.asterisk.translate import NewChannel
from pbx.bootstrap.parts import Parts
from pbx.core.commands import Explanation
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import call_of
from pbx.services.alerts import Kind
from pbx.services.blocking import Seen
from pbx.services.disk_guard import MB
from pbx.services.ports_provision import ProvisionError
from pbx.services.provisioning import browsers, provisioning
from pbx.services.runtime import UnknownCall
from pbx.supervisor.doctor import examine

log = structlog.get_logger("engine")

DIRECTORY_POLL_S = 1.0
DRAIN_S = 5.0
CALM_S = 15.0
"""A rush comes in waves: until then it is the same one, and told once."""
_OVERLOADED = (
    "More calls come than this machine can take. Some of the new ones are refused and told to try again in a few "
    "seconds; calls that are up go on, and emergency numbers are reached. If it happens often, give the machine more "
    "processors."
)


class Engine(Parts):
    """One engine: one Asterisk, one store. ``start`` returns when calls are taken; ``stop`` loses nothing."""

    _not_over_yet: Callable[[], None] = staticmethod(lambda: None)

    # -- run ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take over what an earlier run left, connect to Asterisk, listen for people."""
        self.takeover.begin(self.live_log.take_over())
        await self.disk_guard.look()
        recovered = await self.projector.recover()
        if recovered:
            log.info("journal.recovered", facts=recovered)
        self._run(
            self.projector.run,
            self.journal.flush_forever,
            self.link.run,
            self.sip_texts.run,
            self.stories.run,
            self.wrapup.run,
            self.billing.run,
            self.reminders.run,
            self.retention.run,
            self.sums.run,
            self.dialer.run,
            self.texting.run,
            self.admission.run,
            self.webhooks.run,
            self.alert_log.run,
            self.digests.run,
            self.voicemail_mail.run,
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
        await self.imports.stop()
        await self.recordings.drain(DRAIN_S)
        self.calls.let_go()
        self.browsers_told.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ari.close()
        await self.aside.close()
        self.ami.close()
        await self.public_http.close()
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
            "overloaded": self.admission.overloaded() or self.admission.shedding,
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

    def _shed(self, percent: int, for_s: int) -> None:
        """Have the dialplan refuse a share of new calls; they come into the log when it does so no more."""
        verdict = Verdict(False, Reason.OVERLOADED)
        self.switch.shed(percent, for_s, Explanation(verdict.sentence, verdict.retry_after))
        self._not_over_yet()
        if percent:
            self.alerts.raised(Kind.OVERLOADED, "calls", _OVERLOADED)
        else:
            self._not_over_yet = self.clock.later(CALM_S, lambda: self.alerts.over(Kind.OVERLOADED, "calls"))
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
        credit = not self.spending.used_up
        try:
            wanted = provisioning(directory, str(self.config.spool), credit=credit)
            await self.provisioner.apply(wanted, force=force)
            self._told_of_credit = credit
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
                async with asyncio.timeout(DIRECTORY_POLL_S):
                    await changed.wait()
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
                return await self._tell_of_credit()
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

    async def _tell_of_credit(self) -> None:
        """For when the engine is away: the dialplan knows nothing of money."""
        if self.link.linked.is_set() and self._told_of_credit is self.spending.used_up:
            await self._provision(self._directory)

    async def _take_over(self, fresh: Directory) -> None:
        if self.link.linked.is_set():
            await self._provision(fresh)
        self._directory = fresh
        self.billing.changed()
        self.blocking.changed()
        self.trunk_health.directory_changed()
        self.hub.directory_changed()
        self.texting.changed()

    async def _take_over_browsers(self, fresh: Directory) -> None:
        """Somebody has signed in or out: nothing is written, reloaded or told to all."""
        if self.link.linked.is_set():
            await self._provision_browsers(fresh)
        others = set(fresh.browsers()) ^ set(self._directory.browsers())
        self._directory = fresh
        self.hub.phones_changed({device.user_id for device in others})


def _died(task: asyncio.Task[None]) -> None:
    """None of these tasks may end while the engine runs: half an engine is worse than one that is started again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("engine.task_died", error=repr(task.exception()))
        signal.raise_signal(signal.SIGTERM)
