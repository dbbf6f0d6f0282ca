"""The engine as it runs: what starts and ends it, and what it does with what comes from outside."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from crm import directory as directories
from crm import ids
from crm.directory import Directory
from crm.errors import Refused
from pbx.adapters.asterisk.ari import AriError
from pbx.adapters.asterisk.presence import address_of
from pbx.adapters.asterisk.translate import NewChannel
from pbx.bootstrap.node import AsteriskNode
from pbx.bootstrap.nodes import GIVE_UP_S
from pbx.bootstrap.parts import Parts
from pbx.core.commands import Explanation
from pbx.core.events import SwitchLost
from pbx.core.gate import Reason, Verdict
from pbx.core.ids import call_of
from pbx.services.blocking import Seen
from pbx.services.disk_guard import MB
from pbx.services.ports_provision import ProvisionError
from pbx.services.provisioning import browsers, provisioning
from pbx.services.runtime import UnknownCall
from pbx.supervisor.doctor import examine

log = structlog.get_logger("engine")

DIRECTORY_POLL_S = 1.0
DRAIN_S = 5.0


class Engine(Parts):
    """One engine: one store, one Asterisk or more. ``start`` returns when calls are taken; ``stop`` loses nothing."""

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
            self.sip_texts.run,
            self.stories.run,
            self.wrapup.run,
            self.billing.run,
            self.reminders.run,
            self.retention.run,
            self.sums.run,
            self.dialer.run,
            self.texting.run,
            self.webhooks.run,
            self.alert_log.run,
            self.digests.run,
            self.voicemail_mail.run,
            self._watch_directory,
            self.blocking.run,
            self.disk_guard.run,
            *(loop for node in self.nodes.all for loop in node.loops()),
        )
        self.nodes.on_change, self.nodes.on_given_up = self._node_changed, self._given_up
        self.nodes.begin()
        await self.web.start()
        nodes = self.nodes
        self._run(lambda: self.leftovers.run(nodes.settled), lambda: self.fallback_calls.run(nodes.linked))
        log.info("engine.started", address=f"http://{self.config.http_host}:{self.config.http_port}")

    async def until_linked(self, deadline_s: float = 30.0) -> None:
        await asyncio.wait_for(self.nodes.linked.wait(), deadline_s)

    async def stop(self) -> None:
        """Let go of everything in order; calls that are up stay up in Asterisk."""
        await self.web.stop()
        self.reloads.stop()
        await self.imports.stop()
        await self.recordings.drain(DRAIN_S)
        self.calls.let_go()
        self.nodes.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for node in self.nodes.all:
            await node.close()
        await self.public_http.close()
        await self.sound.close()
        self.journal.close()
        self.live_log.close()
        await self.store.close()

    def ready(self) -> dict[str, object]:
        """What a health check wants to know; ``ready`` is the sum of it."""
        linked, nodes = self.nodes.linked.is_set(), self.nodes.all
        return {
            "ready": linked and not self.drain.on,
            "reason": "draining" if self.drain.on else "" if linked else "asterisk_away",
            "draining": self.drain.on,
            "asterisk": linked,
            "asterisk_version": next((node.link.version for node in nodes if node.link.version), ""),
            "manager": any(node.ami.connected for node in nodes),
            "config_revision": self._directory.revision,
            "journal_lag": self.projector.lag,
            "recordings_waiting": self.recordings.waiting,
            "calls": len(self.calls),
            "overloaded": self.nodes.overloaded() or self.overload.on,
            "intruders_heard": all(node.security.connected for node in self.nodes.there or nodes),
            "disk_free_mb": self.disk_guard.room.free_bytes // MB,
            "recording_withheld": self.disk_guard.withheld is not None,
            **({"nodes": self.nodes.view()} if self.nodes.many else {}),
        }

    async def doctor(self) -> list[dict[str, str]]:
        return await examine(self.config)

    def _run(self, *loops: Callable[[], Awaitable[None]]) -> None:
        for run in loops:
            task = asyncio.ensure_future(run())
            task.add_done_callback(_died)
            self._tasks.append(task)

    # -- what comes from outside --------------------------------------------------------------------

    def channel_came(self, node: AsteriskNode, channel: NewChannel) -> None:
        """A fault of ours must not leave anybody waiting in silence: the dialplan does what it does without us."""
        if self.drain.hands_over:
            self._hand_over(node, channel)
            return
        arrive = self.arrivals.from_trunk if channel.kind == "inbound" else self.arrivals.from_phone
        self._arriving = node
        try:
            arrive(channel)
        except Exception:
            log.exception("engine.arrival_failed", channel=channel.channel, exten=channel.exten)
            self._hand_over(node, channel)
        finally:
            self._arriving = None

    def _hand_over(self, node: AsteriskNode, channel: NewChannel) -> None:
        """To the dialplan, as if there were no engine; the call comes into the log when it is over."""
        node.switch.give_back(channel)
        self.fallback_calls.handed_over()

    def _shed(self, node: AsteriskNode, percent: int, for_s: int) -> None:
        """Have the dialplan refuse a share of new calls; they come into the log when it does so no more."""
        node.switch.shed(percent, for_s, _explained())
        if percent:
            self.overload.begins()
        else:
            self.overload.ends()

    def _overloaded(self) -> bool:
        """Whether new calls are to be refused, to come again later or elsewhere."""
        return self.nodes.turns_away(self._arriving) or self.drain.refuses

    def contact_changed(self, node: AsteriskNode, device: str, uri: str, status: str) -> None:
        if node.registrations.changed(device, uri, status):
            self.hub.registration_changed(device)
            if device.startswith(ids.BROWSER):
                self.reloads.registered(device)
        if status != "Removed":  # by a change of the configuration: it says nothing of whether it answers
            self.trunk_health.options_changed(device)
        if status != "Removed" and (address := address_of(uri)) and device.startswith(ids.DEVICE):
            self.blocking.phone_is_at(address, device)

    def security_seen(self, what: str, address: str, account: str) -> None:
        self.blocking.seen(Seen(what, address, account))

    def recording_failed(self, recording: str, why: str) -> None:
        """The call goes on; that it is not recorded must be seen (V10)."""
        call = call_of(recording)
        if call is not None:
            with contextlib.suppress(UnknownCall):
                self.calls.annotate(
                    call, "recording.finished", {"recording": recording, "state": "failed", "problem": why}
                )

    async def linked(self, node: AsteriskNode) -> None:
        """Asterisk may be a new one that has read nothing yet: tell it everything. What is configured meanwhile is
        not told by anybody else, as there is no link yet."""
        for trunk in filter(lambda trunk: node.registrations.reachable(trunk.id), self._directory.trunks):
            self.trunk_health.options_changed(trunk.id)  # of the others, a new Asterisk does not know yet
        told = None
        while told is not self._directory:
            told = self._directory
            await self._provision_node(node, told, force=True)
        for address, device in node.registrations.addresses(ids.DEVICE):
            self.blocking.phone_is_at(address, device)
        node.admission.switch_refuses = await node.switch.refuses_by_itself(_explained())
        node.fence.distrust()
        self.blocking.asterisk_is_new()
        node.browsers_told.begin()
        node.linked_first = node.linked_first or self.clock.now()
        node.watch.linked(node.link.started, await self._catch_up(node))
        self.reloads.taken_over()
        node.endings.trim()

    async def _catch_up(self, node: AsteriskNode) -> int:
        if not self.nodes.many:
            return await self.takeover.catch_up()
        self.fallback_calls.handed_over()
        interrupted = await self.takeover.catch_up(node.survey, lambda call: self.nodes.of_call(call) is node)
        if node.name in self.nodes.given_up:
            await self._let_go(node)
        return interrupted

    async def _let_go(self, node: AsteriskNode) -> None:
        """It was given up, and is there after all: what stands there is of calls that were closed."""
        for channel in await node.remains.strays():
            log.warning("engine.let_go", channel=channel, node=node.name)
            node.remains.hang_up(channel)

    def _given_up(self, node: AsteriskNode) -> None:
        """Nobody knows whether that machine will be back: its calls end in the log."""
        log.error("engine.node_given_up", node=node.name)
        lost_at = node.watch.lost_at or self.clock.now()
        calls = [call.id for call in self.calls if self.nodes.of_call(call.id) is node]
        for call in calls:
            self.calls.deliver(call, SwitchLost(lost_at))
        node.watch.given_up(node.name, node.config.ari_host, GIVE_UP_S, len(calls))

    def _node_changed(self, node: AsteriskNode) -> None:
        """Its phones can be rung, or cannot; what the others have to know may be other than it was."""
        for device in node.registrations.registered():
            self.hub.registration_changed(device)
        for trunk in self._directory.trunks if self.nodes.there else ():
            self.trunk_health.options_changed(trunk.id)
        self._telling = asyncio.ensure_future(self._provision(self._directory))

    async def _provision(self, directory: Directory) -> None:
        await self._tell_all(lambda node: self._provision_node(node, directory))

    async def _tell_all(self, tell: Callable[[AsteriskNode], Awaitable[None]]) -> None:
        """One of several that does not answer keeps nothing from the others: it is told when it is linked again."""
        for node in self.nodes.there:
            try:
                await tell(node)
            except (AriError, TimeoutError) as error:
                if not self.nodes.many:
                    raise
                log.warning("provisioning.later", node=node.name, why=str(error))

    async def _provision_node(self, node: AsteriskNode, directory: Directory, *, force: bool = False) -> None:
        """A value that no switch can be given must not keep the next change from taking effect: it is said aloud."""
        credit = not self.spending.used_up
        try:
            wanted = provisioning(directory, str(self.config.spool), credit=credit)
            if self.nodes.many:
                registers = node is self.nodes.registrar
                wanted = replace(wanted, peers=self.nodes.peers(node), registers=registers)
            await node.provisioner.apply(wanted, force=force)
            self._told_of_credit = credit
        except ProvisionError as error:
            log.critical("provisioning.refused", why=str(error))

    async def tell_of_browsers(self, node: AsteriskNode, directory: Directory) -> None:
        try:
            await node.provisioner.apply_browsers(browsers(directory))
        except ProvisionError as error:
            log.critical("provisioning.refused", why=str(error))

    def known(self, node: AsteriskNode, channel: str) -> bool:
        leg = node.switch.leg_of(channel)
        call = call_of(leg) if leg else None
        return call is not None and self.calls.get(call) is not None

    async def _watch_directory(self) -> None:
        """A change reaches the next call (A2): at once where it was made here, else with the next look."""
        self.store.on_change = self.changes.made
        while True:
            newest = await self.changes.come(DIRECTORY_POLL_S)
            try:
                await self._reread()
                self.store_watch.back("reading")
            except Refused as error:
                self.store_watch.away("reading", error.message)
                log.warning("directory.unreadable", why=error.message)
            except Exception:
                log.exception("directory.not_applied")
            self.changes.looked(newest)

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
        if self.nodes.linked.is_set() and self._told_of_credit is self.spending.used_up:
            await self._provision(self._directory)

    async def _take_over(self, fresh: Directory) -> None:
        await self._provision(fresh)
        self._directory = fresh
        self.billing.changed()
        self.blocking.changed()
        self.trunk_health.directory_changed()
        self.hub.directory_changed()
        self.texting.changed()

    async def _take_over_browsers(self, fresh: Directory) -> None:
        """Somebody has signed in or out: nothing is written, reloaded or told to all."""
        await self._tell_all(lambda node: self.tell_of_browsers(node, fresh))
        others = set(fresh.browsers()) ^ set(self._directory.browsers())
        self._directory = fresh
        self.hub.phones_changed({device.user_id for device in others})


def _explained() -> Explanation:
    """To a call that is one too many."""
    verdict = Verdict(False, Reason.OVERLOADED)
    return Explanation(verdict.sentence, verdict.retry_after)


def _died(task: asyncio.Task[None]) -> None:
    """None of these tasks may end while the engine runs: half an engine is worse than one that is started again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("engine.task_died", error=repr(task.exception()))
        signal.raise_signal(signal.SIGTERM)
