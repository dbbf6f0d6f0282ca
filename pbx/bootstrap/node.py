"""One Asterisk: every part of the engine that is its own. There is one of these for each node, or only one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crm.directory import Directory
from pbx.adapters.asterisk.ami import Ami, MixMonitor
from pbx.adapters.asterisk.ari import AriClient, AriError
from pbx.adapters.asterisk.browsers import BrowserEndpoints
from pbx.adapters.asterisk.dialling import APP
from pbx.adapters.asterisk.edge import edge_of
from pbx.adapters.asterisk.endings import Endings
from pbx.adapters.asterisk.fallback_log import FallbackCall, FallbackLog
from pbx.adapters.asterisk.fence import AclFence
from pbx.adapters.asterisk.instance import prompts_of
from pbx.adapters.asterisk.link import AsteriskLink
from pbx.adapters.asterisk.presence import Registrations
from pbx.adapters.asterisk.provision import AsteriskProvisioner
from pbx.adapters.asterisk.remains import Remains
from pbx.adapters.asterisk.security_events import SecurityEvents
from pbx.adapters.asterisk.spool import Spool
from pbx.adapters.asterisk.survey import Survey
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.adapters.asterisk.translate import NewChannel
from pbx.config import Config, in_url
from pbx.core.events import Event
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alerts
from pbx.services.browsers_told import BrowsersTold
from pbx.services.switch_watch import SwitchWatch

if TYPE_CHECKING:
    from pbx.services.admission import Admission

GRACE_US = 1_000_000  # between what Asterisk writes down and what we do


class Hears(Protocol):
    """The engine: what it does with what comes from one of its Asterisks."""

    def deliver(self, call: CallId, event: Event) -> None: ...
    def channel_came(self, node: AsteriskNode, channel: NewChannel) -> None: ...
    def contact_changed(self, node: AsteriskNode, device: str, uri: str, status: str) -> None: ...
    def security_seen(self, what: str, address: str, account: str) -> None: ...
    def recording_failed(self, recording: str, why: str) -> None: ...
    def known(self, node: AsteriskNode, channel: str) -> bool: ...
    async def linked(self, node: AsteriskNode) -> None: ...
    async def tell_of_browsers(self, node: AsteriskNode, directory: Directory) -> None: ...


class AsteriskNode:
    """``name`` is empty where there is only one. ``shared`` is the configuration of the whole house."""

    admission: Admission

    def __init__(self, name: str, config: Config, shared: Config, spool: Spool, hears: Hears) -> None:
        self.name, self.config = name, config
        self._shared, self._hears = shared, hears
        self.folder = config.home / "asterisk"
        self.linked_first = Instant(0)
        self.registrations = Registrations()
        self._make_switch(spool)
        self._make_link()
        self._make_provisioning()
        self.endings = Endings(self.folder / "log", self.switch.leg_of)
        self.fallback_log = FallbackLog(self.folder / "log")
        self.remains = Remains(self.ari, lambda channel: hears.known(self, channel))

    def watched(self, now: Callable[[], Instant], alerts: Alerts, directory: Callable[[], Directory]) -> None:
        """What it says of itself, and what it must be told when it is new."""
        self.watch = SwitchWatch(now, alerts, self.folder / "log", self.name)
        self.link.on_lost = self.watch.lost
        self.survey = Survey(self.ari, self.switch, self.monitor, self.endings, lambda: self.watch.lost_at)
        self.browsers_told = BrowsersTold(
            directory, lambda fresh: self._hears.tell_of_browsers(self, fresh), (AriError, TimeoutError)
        )

    def _make_switch(self, spool: Spool) -> None:
        """Asterisk's media, and what it says of who asks for it."""
        config, secrets, hears = self.config, self._shared.secrets(), self._hears
        host = config.ari_host if self.name else "127.0.0.1"
        self.ami = Ami(
            host,
            config.ami_port,
            "switchhook",
            secrets.ami,
            lambda device, uri, status: hears.contact_changed(self, device, uri, status),
        )
        self.security = SecurityEvents(config.ami_port, "security", secrets.ami_security, hears.security_seen, host)
        self.monitor = MixMonitor(self.ami, spool, hears.recording_failed)
        self.switch = AriSwitch(self.monitor, prompts_of(self._shared), hears.deliver)

    def _make_link(self) -> None:
        """Asterisk's events and our commands."""
        config, secret, hears = self.config, self._shared.secrets().ari, self._hears
        base = f"http://{in_url(config.ari_host)}:{config.ari_port}"
        self.ari = AriClient(base, "switchhook", secret, APP, lambda event: self.link.received(event))
        self.aside = AriClient(base, "switchhook", secret, f"{APP}-aside", lambda event: None)
        self.link = AsteriskLink(
            self.ari,
            self.aside,
            self.ami,
            self.switch,
            self.registrations,
            hears.deliver,
            lambda channel: hears.channel_came(self, channel),
            lambda: hears.linked(self),
        )

    def _make_provisioning(self) -> None:
        """What Asterisk has to know of users, phones and trunks."""
        etc = self.folder / "etc"
        in_memory = BrowserEndpoints(etc, lambda method, uri, body: self.ari.call(method, uri, body=body))
        self.provisioner = AsteriskProvisioner(etc, self._reload, in_memory, edge_of(self._shared))
        self.fence = AclFence(
            lambda method, uri, body: self.ari.call(method, uri, body=body),
            lambda method, uri, body: self.ari.send(method, uri, body=body, on_answer=lambda status, content: None),
        )

    async def _reload(self, module: str) -> None:
        await self.ari.call("PUT", f"asterisk/modules/{module}")

    # -- as it is now -------------------------------------------------------------------------------

    @property
    def is_linked(self) -> bool:
        return self.link.linked.is_set()

    @cached_property
    def texts(self) -> Path:
        """Where it keeps texts that came."""
        return self.folder / "spool" / "texts"

    @cached_property
    def voicemails(self) -> Path:
        return self.folder / "spool" / "recording"

    def loops(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs for as long as the engine does."""
        return self.link.run, self.security.run, self.admission.run

    async def close(self) -> None:
        self.browsers_told.stop()
        await self.ari.close()
        await self.aside.close()
        self.ami.close()

    # -- what it did alone --------------------------------------------------------------------------

    def fallback_calls(self, since: Instant, channels: Container[str], now: Instant) -> list[FallbackCall]:
        """What its dialplan did since this was asked before, and what came while no engine listened, though Asterisk
        took it that one did; until we were there ourselves. ``channels`` are those of which an engine has heard from
        ``since`` on."""
        known = self.fallback_log.fresh()
        if not since or not self.linked_first:
            return known
        until, heard_until = Instant(self.linked_first + GRACE_US), Instant(now - GRACE_US)
        return known + self.endings.unheard(Instant(since + GRACE_US), until, channels, heard_until)

    def read_up(self, now: Instant) -> bool:
        """Whether all that came before we were there can be told from what has come to us."""
        return now > self.linked_first + 2 * GRACE_US
