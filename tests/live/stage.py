"""The stage of the live tests: our Asterisk and engine, people of ours with phones, people outside, and the log.

Everybody has a tone of their own, and so has every prompt: what is heard says who or what speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.errors import Refused
from crm.migrations import migrate
from crm.records import User
from crm.services import calls as call_log
from crm.services import devices, numbers, settings, trunks, users
from crm.services.calls import CallFilter
from crm.unit_of_work import SYSTEM, Store
from pbx import bootstrap
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.config import Config
from tests.support.free_ports import free_port, own_part
from tests.support.sip_call import Call
from tests.support.sip_phone import SipPhone
from tests.support.tones import Sound, make_tone, read_sound, write_sound
from tests.support.waiting import Deadline, Missed, Signal, until

PROMPTS = {
    "unavailable": 1100,
    "unreachable": 1180,
    "not-in-service": 1260,
    "voicemail-default-greeting": 1340,
    "accept-forward": 1420,
    "call-busy": 1500,
    "call-no-answer": 1580,
    "call-rejected": 1660,
    "call-failed": 1740,
    "number-invalid": 1820,
    "recording-announcement": 1900,
    "beep": 1000,
}
PROMPT_S = 0.6
RTP = own_part(12000, 20000)  # what is still sent to the call of another run is not heard in one of this
AT_ONCE_S = 0.1
VOICES = (540, 580, 660, 740)  # of our users' phones; those outside speak from 800 on
_outside = itertools.count(1000)
_inside = itertools.count(1000)


class Outside:
    """Somebody in the public network, with a number and a voice of their own."""

    will_ring = SipPhone.will_ring
    will_answer = SipPhone.will_answer
    will_reject = SipPhone.will_reject
    will_ignore = SipPhone.will_ignore
    will_send_early_media = SipPhone.will_send_early_media

    def __init__(self, carrier: Carrier, number: str, tone: float) -> None:
        self.carrier, self.number, self.tone = carrier, number, tone
        self.calls: list[Call] = []
        self._ignored = carrier.phone._ignored
        self._unseen: deque[Call] = deque()
        self.signal = Signal()
        self.will_ring()

    async def call(self, did: str, **how: Any) -> Call:
        """Call one of our numbers through the carrier."""
        return await self.carrier.phone.call(did, **{"caller": self.number, "tone": self.tone} | how)

    async def incoming(self, within: float = 3) -> Call:
        """The next call that came to this number."""
        await self.signal.until(
            lambda: bool(self._unseen),
            within,
            lambda: f"{self.number} waited {within:g} s for a call.\n{self.carrier.phone.trace.text()[-4000:]}",
        )
        return self._unseen.popleft()

    async def came(self, call: Call) -> None:
        call.say(self.tone)
        self.calls.append(call)
        self._unseen.append(call)
        self.signal.fire()
        await self.behaviour(call)


class Carrier:
    """A trunk's other end: who answers there is found by the number that was dialled."""

    def __init__(self, phone: SipPhone) -> None:
        self.phone = phone
        self.people: dict[str, Outside] = {}
        self.strangers: list[Call] = []  # calls that came for a number nobody has there
        phone.behaviour = self._came

    @classmethod
    async def open(cls, server: tuple[str, int], port: int) -> Carrier:
        return cls(await SipPhone.start("carrier", server, port=port))

    def person(self, number: str = "", tone: float = 820) -> Outside:
        number = number or f"+1206555{next(_outside):04}"
        person = self.people[number] = Outside(self, number, tone)
        return person

    @property
    def port(self) -> int:
        return self.phone.address[1]

    async def _came(self, call: Call) -> None:
        person = self.people.get(call.called_number)
        if person is None:
            self.strangers.append(call)
            call.reject(404)
        else:
            await person.came(call)


@dataclass(slots=True)
class Rep:
    """A user of ours with a number and registered phones."""

    user: User
    did: str
    phones: list[SipPhone]
    devices: list[str]
    secrets: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def phone(self) -> SipPhone:
        return self.phones[0]


@dataclass(slots=True)
class Logged:
    """One call as the log has it."""

    row: Any
    legs: list[Any]
    events: list[Any]
    recordings: list[Any]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def leg(self, role: str) -> Any:
        return next(leg for leg in self.legs if leg.role == role)

    def results(self, role: str) -> list[str]:
        return sorted(leg.result for leg in self.legs if leg.role == role)


@dataclass
class Stack:
    """One engine with its Asterisk and one carrier; lives as long as the test run."""

    config: Config
    asterisk: EngineAsterisk
    engine: bootstrap.Engine
    carrier: Carrier
    trunk_id: str

    @property
    def server(self) -> tuple[str, int]:
        return "127.0.0.1", self.config.sip_port

    @property
    def tls_server(self) -> tuple[str, int]:
        return "127.0.0.1", self.config.sip_tls_port

    @property
    def control(self) -> Any:
        return self.engine.control

    async def change(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Change the store as an admin does, and wait until the engine goes by it."""
        async with self.engine.store.write(SYSTEM) as unit:
            made = await work(unit)
        await self.settled()
        return made

    async def settled(self) -> None:
        """The engine goes by everything that is in the store."""
        from crm import directory

        async with self.engine.store.read() as session:
            wanted = await directory.current_revision(session)
        await until(lambda: self.engine.directory.revision >= wanted, 3, "the engine to take the change in")

    @contextlib.asynccontextmanager
    async def setting(self, key: str, value: Any) -> AsyncIterator[None]:
        """A setting of the organisation, for the time of the block."""
        await self.change(lambda work: settings.change(work, key, value))
        try:
            yield
        finally:
            await self.change(lambda work: settings.remove(work, key))

    @contextlib.asynccontextmanager
    async def trunk(self, port: int, priority: int, **values: Any) -> AsyncIterator[str]:
        """Another trunk, for the time of the block."""
        values = {"name": f"trunk {port}", "mode": "address", "host": "127.0.0.1", "port": port} | values
        values |= {"match_addresses": [f"127.0.0.1:{port}"], "priority": priority}
        trunk = await self.change(lambda work: trunks.add(work, values))
        try:
            yield trunk.id
        finally:
            await self.change(lambda work: trunks.remove(work, trunk.id))

    # -- what is left --------------------------------------------------------------------------------

    async def left(self) -> str:
        """Channels, bridges, calls and reservations that are still there; empty: none."""
        engine = self.engine
        found = [f"call {call.id} {call.state}" for call in engine.calls]
        if engine.gate.held:
            found.append(f"{engine.gate.held} reservations at the gate")
        found += [f"channel {channel['id']} {channel['state']}" for channel in await engine.ari.call("GET", "channels")]
        found += [f"bridge {bridge['id']}" for bridge in await engine.ari.call("GET", "bridges")]
        return ", ".join(found)

    async def until_nothing_left(self, within: float = 4) -> None:
        deadline = Deadline(within)
        while left := await self.left():
            if deadline.over:
                raise Missed(f"Left behind: {left}")
            await asyncio.sleep(0.05)

    # -- the log -------------------------------------------------------------------------------------

    async def logged(self, within: float = 4, nth: int = 1, **filters: Any) -> Logged:
        """The newest of ``nth`` ended calls that the filters find, once it stands in the log."""
        wanted = CallFilter(**filters)
        deadline = Deadline(within)
        while True:
            async with self.engine.store.read() as session:
                found = (await call_log.list_all(session, wanted)).items
                ended = [call for call in found if call.ended_us is not None]
                if len(ended) >= nth:
                    return _logged(await call_log.show(session, ended[0].id))
            if deadline.over:
                raise Missed(f"No {nth} ended calls in the log for {filters}: {found}")
            await asyncio.sleep(0.05)

    async def show(self, call_id: str) -> Logged:
        await self.engine.projector.flush()
        async with self.engine.store.read() as session:
            return _logged(await call_log.show(session, call_id))

    async def participants(self, call_id: str) -> list[Any]:
        await self.engine.projector.flush()
        async with self.engine.store.read() as session:
            return list((await call_log.show(session, call_id)).participants)

    async def recorded(self, call_id: str, state: str = "ready", within: float = 8) -> tuple[Any, Sound]:
        """The newest recording of a call and its sound, when it is finished."""

        async def finished() -> Any:
            with contextlib.suppress(Refused):
                logged = await self.show(call_id)
                rows = [row for row in logged.recordings if row.state not in ("recording", "processing", "paused")]
                return next((row for row in reversed(rows) if row.state == state), None)
            return None

        deadline = Deadline(within)
        while (row := await finished()) is None:
            if deadline.over:
                raise Missed(f"No {state} recording of {call_id}: {(await self.show(call_id)).recordings}")
            await asyncio.sleep(0.1)
        return row, read_sound(self.config.recordings / row.path)


def _logged(detail: Any) -> Logged:
    return Logged(detail.call, list(detail.legs), list(detail.events), list(detail.recordings))


class Scene:
    """What one test puts on the stage; all of it is gone afterwards."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.reps: list[Rep] = []
        self._phones: list[SipPhone] = []

    async def rep(
        self,
        phones: int = 1,
        *,
        transport: str = "udp",
        srtp: bool = False,
        number: bool = True,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        at: tuple[str, int] | None = None,
        **given: Any,
    ) -> Rep:
        """A new user with a number and phones that are registered now, without voicemail unless it is ``given``. ``at``
        is where they register, where that may be elsewhere."""
        serial = next(_inside)
        did = f"+1415555{serial:04}"
        values = {"email": f"u{serial}@demo.example", "name": f"User {serial}", "country": "US", "ring_time_s": 5}
        values |= {"voicemail_enabled": False} | given

        async def make(work: Any) -> tuple[User, list[Any]]:
            user = await users.add(work, values)
            if number:
                await numbers.add(work, {"number": did, "user": user.id})
            made = [
                await devices.add(work, {"user": user.id, "name": f"phone {n}", "transport": transport})
                for n in range(phones)
            ]
            return user, made

        user, made = await self.stack.change(make)
        rep = Rep(user, did if number else "", [], [new.device.id for new in made], [new.secret for new in made])
        self.reps.append(rep)
        for n in range(phones):
            rep.phones.append(await self.phone(rep, n, at=at, transport=transport, srtp=srtp, codecs=codecs))
        return rep

    async def phone(
        self, rep: Rep, n: int = 0, *, tone: float | None = None, at: tuple[str, int] | None = None, **how: Any
    ) -> SipPhone:
        """Register a phone as the n-th device of a user."""
        server = at or (self.stack.tls_server if how.get("transport") == "tls" else self.stack.server)
        phone = await SipPhone.start(rep.devices[n], server, rep.secrets[n], VOICES[n] if tone is None else tone, **how)
        self._phones.append(phone)
        contacts = sum(1 for known in self._phones if known.user == rep.devices[n] and known.registered_until)
        registrations = self.stack.engine.registrations
        await until(lambda: len(registrations.phones([rep.devices[n]])) >= contacts, 2, "the engine to see the phone")
        return phone

    def outside(self, tone: float = 820, number: str = "") -> Outside:
        return self.stack.carrier.person(number, tone)

    async def change(self, rep: Rep, **values: Any) -> None:
        await self.stack.change(lambda work: users.change(work, rep.id, values))

    async def logged(self, rep: Rep, nth: int = 1, **more: Any) -> Logged:
        return await self.stack.logged(user_id=rep.id, nth=nth, **more)

    async def live_call(self, rep: Rep, within: float = 2) -> str:
        """The id of the call that the user is in now."""

        def found() -> str | None:
            calls = self.stack.engine.calls
            mine = [
                call.id for call in calls if call.person and call.person.user_id == rep.id and call.state != "ended"
            ]
            return mine[-1] if mine else None

        return str(await until(found, within, f"a live call of {rep.user.name}"))

    async def close(self) -> None:
        """Nothing may be left in the switch before the phones are put away; then take the phones away."""
        try:
            await self.stack.until_nothing_left()
        finally:
            await asyncio.gather(*(phone.stop() for phone in self._phones))
            for call in self.stack.carrier.phone.live_calls:
                with contextlib.suppress(Missed):
                    await call.hang_up(within=1)


async def open_stack(home: Path, prefix: Path, **overrides: Any) -> Stack:
    """Asterisk and engine on free ports, an organisation that records, one trunk. ``overrides`` are of the
    configuration."""
    _write_prompts(home / "prompts" / "en")
    config = Config.load(
        {},
        home=home,
        sip_host="127.0.0.1",
        rtp_start=RTP[0],
        rtp_end=RTP[1] - 1,
        **{name: free_port() for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port", "http_port")},
        **overrides,
    )
    carrier_port = free_port()
    trunk_id = await _organisation(config, carrier_port)
    asterisk = EngineAsterisk(config, prefix)
    await asterisk.start()
    engine = await bootstrap.open_engine(config)
    await engine.start()
    await engine.until_linked()
    carrier = await Carrier.open(("127.0.0.1", config.sip_port), carrier_port)
    return Stack(config, asterisk, engine, carrier, trunk_id)


async def close_stack(stack: Stack) -> None:
    stack.carrier.phone.vanish()
    try:
        await stack.engine.stop()
    finally:
        await stack.asterisk.stop()


async def _organisation(config: Config, carrier_port: int) -> str:
    await migrate(config.database_url)
    store = Store(config.database_url)
    async with store.write(SYSTEM) as work:
        trunk = await trunks.add(
            work,
            {
                "name": "carrier",
                "mode": "address",
                "host": "127.0.0.1",
                "port": carrier_port,
                "match_addresses": [f"127.0.0.1:{carrier_port}"],
                "priority": 10,
            },
        )
        await settings.change(work, "recording.enabled", True)
        await settings.change(work, "recording.follow_law", False)
        await settings.change(work, "gate.calling_hours", "off")
        await settings.change(work, "forward.ring_time_s", 5)
    await store.close()
    return trunk.id


def _write_prompts(folder: Path) -> None:
    """The operator's own prompts go before ours: here each is a tone, told apart by its pitch."""
    folder.mkdir(parents=True)
    for name, hz in PROMPTS.items():
        write_sound(folder / f"{name}.wav", make_tone(hz, PROMPT_S))


def facts(logged: Logged, kind: str) -> list[Mapping[str, Any]]:
    """The data of every event of a kind, in order."""
    return [event.data or {} for event in logged.events if event.kind == kind]
