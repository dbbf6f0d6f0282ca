"""AMI, through panoramisk, wrapped: MixMonitor, and the list of registered phones.

Wrapped because (panoramisk 1.4, measured): actions sent while the link is down would be repeated silently after
it is back, so all of ours are forgettable; a frozen peer is never noticed, so every action has a deadline; an
action before the first connection raises AttributeError; a wrong password is tried for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from panoramisk import Manager

from pbx.adapters.asterisk.spool import Spool
from pbx.services.recordings import our_side

log = structlog.get_logger("ami")

ACTION_DEADLINE_S = 5.0
_FORGETTABLE = (
    "ping",
    "login",
    "mixmonitor",
    "stopmixmonitor",
    "mixmonitormute",
    "pjsipshowcontacts",
    "pjsipshowregistrationsoutbound",
    "command",
    "originate",
    "switchhooktext",
)


class AmiError(Exception):
    """Asterisk refused an action or did not answer; the text says which and why."""


class Ami:
    """One AMI connection. Of events only registrations and texts are read: the rest comes over ARI.

    ``on_contact(aor, uri, status)`` hears of each binding that comes, goes or stops answering.
    """

    def __init__(
        self, host: str, port: int, user: str, secret: str, on_contact: Callable[[str, str, str], None] | None = None
    ) -> None:
        self._manager = Manager(
            loop=asyncio.get_running_loop(),
            host=host,
            port=port,
            username=user,
            secret=secret,
            events="system",
            ping_delay=3,
            ping_interval=5,
            reconnect_timeout=1,
            forgetable_actions=_FORGETTABLE,
            on_login=self._logged_in,
            on_disconnect=self._disconnected,
        )
        self._ready = asyncio.Event()
        self._begun = False
        self._on_contact = on_contact
        self.on_login: Callable[[], None] | None = None
        self.on_registry: Callable[[], None] = lambda: None  # a registration of ours with a carrier may be another
        self._manager.register_event("ContactStatus", self._contact)
        self._manager.register_event("Registry", lambda manager, event: self.on_registry())

    async def connect(self, deadline_s: float = 5.0) -> None:
        """Raises AmiError where there is no login within the deadline.

        Once begun, panoramisk tries for ever by itself: each further beginning would be one more that tries.
        """
        if not self._begun:
            self._begun = True
            self._manager.connect()
        try:
            await asyncio.wait_for(self._ready.wait(), deadline_s)
        except TimeoutError as error:
            raise AmiError(
                "Asterisk's manager interface does not let us in. Is its port free, its secret ours?"
            ) from error

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    def close(self) -> None:
        self._manager.reconnect_timeout = 10**9
        self._manager.close()

    def hear(self, event: str, take: Callable[[Any], None]) -> None:
        """Have each event of this name. An error in ``take`` would end panoramisk's connection, so it is logged."""

        def heard(manager: Any, message: Any) -> None:
            try:
                take(message)
            except Exception:
                log.exception("ami.event_failed", event_name=event)

        self._manager.register_event(event, heard)

    async def action(self, name: str, **fields: str) -> Any:
        """Send an action and give its answer (a message, or a list of them). Raises AmiError."""
        if not self.connected:
            raise AmiError(f"{name}: not connected to Asterisk's manager interface")
        wanted = {"Action": name, **{key: _clean(value) for key, value in fields.items()}}
        try:
            answer = await asyncio.wait_for(self._manager.send_action(wanted), ACTION_DEADLINE_S)
        except TimeoutError as error:
            raise AmiError(f"{name}: Asterisk did not answer within {ACTION_DEADLINE_S:.0f} s") from error
        first = answer[0] if isinstance(answer, list) else answer
        if not first.success:
            raise AmiError(f"{name}: {getattr(first, 'message', '') or 'refused'}")
        return answer

    async def contacts(self) -> list[tuple[str, str, str]]:
        """Every registered binding: AOR, URI, status. Raises AmiError."""
        listed = await self._list("PJSIPShowContacts", "ContactList", "No Contacts")
        return [(_aor(str(a["ObjectName"])), str(a["Uri"]), str(a["Status"])) for a in listed]

    async def registrations(self) -> list[tuple[str, str]]:
        """Our own registrations with carriers: the trunk and its status. Raises AmiError."""
        listed = await self._list("PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetail", "No outbound")
        return [(str(a["ObjectName"]), str(a["Status"])) for a in listed]

    async def _list(self, action: str, kind: str, nothing: str) -> list[Any]:
        """What an action lists; with nothing to list Asterisk gives an error."""
        try:
            answers = await self.action(action)
        except AmiError as error:
            if nothing.lower() in str(error).lower():
                return []
            raise
        return [answer for answer in answers if answer.event == kind] if isinstance(answers, list) else []

    def _contact(self, manager: Any, event: Any) -> None:
        """An error here would end panoramisk's connection: it is logged instead."""
        if self._on_contact is None:
            return
        try:
            self._on_contact(str(event["AOR"]), str(event["URI"]), str(event["ContactStatus"]))
        except Exception:
            log.exception("ami.contact_failed", aor=event["AOR"])

    def _logged_in(self, manager: Any) -> None:
        self._ready.set()
        if self.on_login is not None:
            self.on_login()

    def _disconnected(self, manager: Any, error: object) -> None:
        if self._ready.is_set():
            log.warning("ami.lost")
        self._ready.clear()


def monitor_variable(recording: str) -> str:
    """The channel's variable that holds the MixMonitorID: it tells whoever comes after that this recording runs."""
    return f"SWITCHHOOK_{recording}"


def _aor(name: str) -> str:
    """Contacts are named ``<aor>;@<hash>`` where they registered, ``<aor>@@<hash>`` where they are configured."""
    return name.split(";@", 1)[0].split("@@", 1)[0]


def _clean(value: str) -> str:
    """A value is one line: what follows a line end would be another field."""
    return value.replace("\r", " ").replace("\n", " ")


class MixMonitor:
    """Records what a channel says and what it hears, each into a file of its own, kept equally long.

    Raw signed 16-bit samples at 8 kHz: there is no header that a crash could leave unfinished, all that is on the disk
    is sound. Not both in one file (option D): measured, with a wideband codec on either side (Opus, G.722) it writes
    only a sixth or half of the samples, at the wrong pitch. Actions about one recording go out in order;
    ``on_failed`` hears of the ones that were refused.
    """

    def __init__(self, ami: Ami, spool: Spool, on_failed: Callable[[str, str], None]) -> None:
        self._ami = ami
        self._spool = spool
        self._on_failed = on_failed
        self._ids: dict[str, str] = {}
        self._queues: dict[str, asyncio.Task[None]] = {}

    def start(self, recording: str, channel: str) -> None:
        self._enqueue(recording, self._start(recording, channel))

    def start_track(self, track: str, channel: str) -> None:
        """What the channel says, and nothing else."""
        self._enqueue(track, self._start_track(track, channel))

    def pause(self, recording: str, channel: str, paused: bool) -> None:
        self._enqueue(recording, self._pause(recording, channel, paused))

    def stop(self, recording: str, channel: str) -> None:
        self._enqueue(recording, self._stop(recording, channel))

    def discard(self, recording: str) -> None:
        self._enqueue(recording, self._discard(recording))

    def knows(self, recording: str) -> bool:
        """Whether this engine has started it, or is about to."""
        return recording in self._ids or recording in self._queues

    def recall(self, recording: str, monitor: str) -> None:
        """It runs, as an earlier engine started it."""
        self._ids[recording] = monitor

    async def settled(self, recording: str) -> None:
        """Wait until everything asked about this recording has been done or has failed; it is over then."""
        task = self._queues.get(recording)
        if task is not None:
            await asyncio.wait([task])
        self._ids.pop(recording, None)

    def _enqueue(self, recording: str, work: Any) -> None:
        before = self._queues.get(recording)

        async def run() -> None:
            if before is not None:
                await asyncio.wait([before])
            try:
                await work
            except AmiError as error:
                log.warning("recording.action_failed", recording=recording, why=str(error))
                self._on_failed(recording, str(error))
            finally:
                if self._queues.get(recording) is asyncio.current_task():
                    del self._queues[recording]

        self._queues[recording] = asyncio.get_running_loop().create_task(run())

    async def _start(self, recording: str, channel: str) -> None:
        self._spool.lend(recording)
        path = self._spool.path(recording)
        try:
            await self._begin(recording, channel, f"r({path})t({our_side(path)})")
        except AmiError:
            self._spool.release(recording)
            raise

    async def _start_track(self, track: str, channel: str) -> None:
        await self._begin(track, channel, f"r({self._spool.path(track)})")

    async def _begin(self, recording: str, channel: str, files: str) -> None:
        options = f"{files}i({monitor_variable(recording)})"
        answer = await self._ami.action("MixMonitor", Channel=channel, File="", Options=options)
        self._ids[recording] = str(answer["MixMonitorID"] or "")

    async def _pause(self, recording: str, channel: str, paused: bool) -> None:
        """Silence is written while it is paused, so the time line stays true."""
        await self._ami.action(
            "MixMonitorMute",
            Channel=channel,
            Direction="both",
            State="1" if paused else "0",
            MixMonitorID=self._ids.get(recording, ""),
        )

    async def _stop(self, recording: str, channel: str) -> None:
        """A channel that is gone has ended its recording by itself: that refusal is not a failure."""
        try:
            await self._ami.action("StopMixMonitor", Channel=channel, MixMonitorID=self._ids.pop(recording, ""))
        except AmiError as error:
            log.debug("recording.stopped_by_itself", recording=recording, why=str(error))

    async def _discard(self, recording: str) -> None:
        """Destroy the sound for real: overwritten, then removed."""
        path = self._spool.path(recording)
        await asyncio.to_thread(destroy, path)
        await asyncio.to_thread(destroy, our_side(path))


def destroy(path: Path) -> None:
    """Overwrite a file with zeros, then remove it, even where a full disk that copies on write does not let it be
    overwritten. A file that is not there is destroyed already."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            for start in range(0, size, 1 << 20):
                file.write(b"\0" * min(1 << 20, size - start))
            file.flush()
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("recording.not_overwritten", file=path.name, why=str(error))
    path.unlink(missing_ok=True)
