"""The link to one Asterisk: connected, kept, and connected again; its events handed to the calls.

A lost link is tried again every quarter of a second: an engine without its Asterisk is of no use to anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp
import structlog

from pbx.adapters.asterisk.ami import Ami, AmiError
from pbx.adapters.asterisk.ari import AriClient, AriError
from pbx.adapters.asterisk.dialling import APP
from pbx.adapters.asterisk.lingering import Lingering
from pbx.adapters.asterisk.presence import Registrations
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.adapters.asterisk.translate import Attended, Created, NewChannel, translate
from pbx.core.events import Event
from pbx.core.ids import CallId, LegId

log = structlog.get_logger("link")

RETRY_S = 0.25


class AsteriskLink:
    """``on_channel`` hears of channels that come to us; ``on_linked`` runs after each connection."""

    def __init__(
        self,
        ari: AriClient,
        aside: AriClient,
        ami: Ami,
        switch: AriSwitch,
        registrations: Registrations,
        deliver: Callable[[CallId, Event], None],
        on_channel: Callable[[NewChannel], None],
        on_linked: Callable[[], Awaitable[None]],
    ) -> None:
        self._ari = ari
        self._aside = aside
        self._ami = ami
        self._switch = switch
        self._registrations = registrations
        self._deliver = deliver
        self._on_channel = on_channel
        self._on_linked = on_linked
        self._lingering = Lingering(asyncio.get_running_loop(), switch.end_again)
        switch.on_leaving, switch.on_gone = self._lingering.asked, self._lingering.gone
        self._refreshing: asyncio.Task[None] | None = None
        self._reading_own: asyncio.Task[None] | None = None
        self.linked = asyncio.Event()
        ami.on_login = self._logged_in
        ami.on_registry = self._heard_of_registration
        self.on_registration: Callable[[str, str], None] = lambda trunk, status: None
        self.version = ""
        self.on_attended: Callable[[LegId, LegId], None] = lambda leg, other: None
        self.started = ""  # when this Asterisk was: another value is another process
        self.on_lost: Callable[[], None] = lambda: None
        self.on_app_taken: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None  # ``linked`` is another now

    async def run(self) -> None:
        """Keep the link for as long as the engine runs."""
        said = False
        while True:
            try:
                await self._linked_once()
                said = False
            except (OSError, TimeoutError, aiohttp.ClientError, AriError, AmiError) as error:
                if not said:
                    log.warning("asterisk.away", why=str(error) or type(error).__name__)
                said = True
            except Exception:
                log.exception("asterisk.link_broke")  # our own fault; without a link there is no telephone
            finally:
                self._unlinked()
            await asyncio.sleep(RETRY_S)

    def _unlinked(self) -> None:
        if self.linked.is_set():
            self.linked.clear()
            self.on_change()

    async def _linked_once(self) -> None:
        if not self._ami.connected:
            await self._ami.connect()
        self._registrations.replace(await self._ami.contacts())
        try:
            await self._aside.connect()
            await self._ari.connect()
            await self._while_connected()
        finally:
            await self._drop()

    async def _while_connected(self) -> None:
        self._switch.ari, self._switch.aside = self._ari, self._aside
        reading = [asyncio.ensure_future(connection.run()) for connection in (self._ari, self._aside)]
        try:
            await self._ari.filter_events()
            info = await self._ari.call("GET", "asterisk/info", {"only": "system,status"}) or {}
            self.version = str(info.get("system", {}).get("version", ""))
            self.started = str(info.get("status", {}).get("startup_time", ""))
            await self._on_linked()
            self.linked.set()
            self.on_change()
            self._heard_of_registration()
            log.info("asterisk.linked", version=self.version)
            await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            self.on_lost()
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        log.warning("asterisk.link_lost")

    async def _drop(self) -> None:
        """One connection without the other is none: both begin again."""
        self._lingering.forget()
        for connection in (self._ari, self._aside):
            await connection.hang_up()

    def _logged_in(self) -> None:
        """The manager link alone was lost and is back: what registered meanwhile was not heard."""
        if self.linked.is_set():
            self._refreshing = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._registrations.replace(await self._ami.contacts())
        except AmiError as error:
            log.warning("registrations.unreadable", why=str(error))
        await self._read_own_registrations()

    def _heard_of_registration(self) -> None:
        if self.linked.is_set():
            self._reading_own = asyncio.ensure_future(self._read_own_registrations())

    async def _read_own_registrations(self) -> None:
        """Ours with carriers. The event tells the addresses of one, the list the trunks of all."""
        try:
            for trunk, status in await self._ami.registrations():
                self.on_registration(trunk, status)
        except AmiError as error:
            log.warning("registrations.unreadable", why=str(error))

    @property
    def began_s(self) -> float:
        """When the Asterisk that runs now was started, in seconds since the epoch; 0 where it is not known."""
        try:
            return datetime.fromisoformat(self.started).timestamp()
        except ValueError:
            return 0.0

    def received(self, event: dict[str, Any]) -> None:
        """One event of ARI, in the loop, at once."""
        kind = event.get("type")
        if kind == "ChannelHangupRequest":
            return self._lingering.asked(event["channel"]["id"])
        if kind in ("StasisEnd", "ChannelDestroyed"):
            self._lingering.gone(event["channel"]["id"])
        found = translate(event, self._switch.leg_of, self._switch.dialled)
        if found is None:
            if kind == "ApplicationReplaced":
                log.error("asterisk.app_taken", app=APP, why="another engine has connected to this Asterisk")
                self.on_app_taken()
            return
        if isinstance(found, NewChannel):
            self._on_channel(found)
        elif isinstance(found, Attended):
            self.on_attended(found.leg, found.other)
        elif isinstance(found, Created):
            self._switch.created(found.leg)
        else:
            self._switch.progressed(found[1])
            self._deliver(*found)
