"""The engine's own processor time per call, part by part: ``python -m bench engine``.

Recorded outbound calls go through the real parts at a steady rate, with a switch and an encoder of paper,
first through the calls alone, then with one part more each time; what a part costs is the difference. Threads, system
calls and the pacing count, Asterisk does not. A third of the customers stands in the store.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import Figure, report, shown
from crm import directory as directories
from crm import ids
from crm.directory import Directory
from crm.migrations import migrate
from crm.services import devices, numbers, people, settings, trunks, users
from crm.unit_of_work import SYSTEM, Store
from pbx.adapters.clock import LoopClock
from pbx.adapters.disk import Disks
from pbx.adapters.finished import Finished
from pbx.adapters.store.journal import FileJournal
from pbx.adapters.store.projector import Projector
from pbx.core.commands import Answer, Command, DialOut, Fact, HangUp, StartRecording
from pbx.core.events import Dialled, Direction, Event, LegAnswered, LegEnded, LegRinging, Phone
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts
from pbx.services.disk_guard import DiskGuard
from pbx.services.gatekeeper import Gate
from pbx.services.hub import Hub
from pbx.services.live_records import LiveRecords
from pbx.services.metrics import Metrics
from pbx.services.occupancy import Occupancy
from pbx.services.persons import Persons
from pbx.services.presence_view import PresenceView
from pbx.services.recordings import Places, Recordings, our_side
from pbx.services.routing import Routing
from pbx.services.runtime import Calls
from pbx.services.spending import Spending
from pbx.services.stories import Stories
from tests.support import postgres

CALLS, RATE, ROUNDS = 500, 100.0, 3
RING_S, ANSWER_S, TALK_S = 0.02, 0.2, 1.5
CUSTOMERS = 3000
SILENCE = bytes(16 * int(1000 * TALK_S))
PARTS = ("calls", "journal", "watchers", "projector", "stories", "recordings")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class PaperSwitch:
    """The far end rings and answers, talks for a while, and hangs up; what is recorded is silence."""

    ready = True

    def __init__(self, spool: Path, records: bool) -> None:
        self.spool, self.records = spool, records
        self._silence = spool / "silence.raw"
        self._silence.write_bytes(SILENCE)
        self.calls: Calls
        self._loop = asyncio.get_running_loop()

    def adopt(self, call: CallId, leg: str, channel: str) -> None: ...

    def forget(self, call: CallId) -> None: ...

    def prepare(self, call: CallId, command: Command) -> None: ...

    def flush(self) -> None: ...

    def carry_out(self, call: CallId, command: Command) -> None:
        match command:
            case DialOut():
                self._later(RING_S, call, LegRinging(command.leg))
                self._later(ANSWER_S, call, LegAnswered(command.leg))
            case Answer():
                self._later(0.001, call, LegAnswered(command.leg))
                self._later(TALK_S, call, LegEnded(command.leg, 16))
            case HangUp():
                self._later(0.005, call, LegEnded(command.leg, 16))
            case StartRecording():
                if self.records:
                    os.link(self._silence, self.raw(command.recording))
                    os.link(self._silence, our_side(self.raw(command.recording)))

    def raw(self, recording: str) -> Path:
        return self.spool / f"{recording}.raw"

    def channel_of(self, leg: str) -> str:
        return f"PJSIP-{leg}"

    def release(self, recording: str) -> None:
        self.raw(recording).unlink(missing_ok=True)
        our_side(self.raw(recording)).unlink(missing_ok=True)

    def _later(self, delay_s: float, call: CallId, event: Event) -> None:
        self._loop.call_later(delay_s, self.calls.deliver, call, event)


class PaperPhones:
    def registered(self) -> dict[str, int]:
        return {}

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        return tuple(Phone(device, f"PJSIP/{device}") for device in device_ids)


class PaperSound:
    """Encoded elsewhere: the engine's share is to ask, and to take the answer."""

    async def finish_recording(self, source: Path, name: str, codec: str) -> Finished:
        await asyncio.sleep(0.02)
        return Finished(f"{name}.opus", f"{name}.peaks.json", "0" * 64, codec, 2, int(1000 * TALK_S), 4000)

    async def finish_conference(
        self, source: Path, name: str, codec: str, tracks: list[dict[str, Any]], private: list[dict[str, Any]]
    ) -> Finished:
        return await self.finish_recording(source, name, codec)

    finish_voicemail = finish_recording


class NoJournal:
    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None: ...


class Rig:
    """The engine's parts, as many of them as are asked for."""

    def __init__(self, home: Path, store: Store, directory: Directory, parts: Sequence[str]) -> None:
        clock, phones = LoopClock(), PaperPhones()
        self.directory, self.tasks = directory, list[asyncio.Task[None]]()
        self.records, self.journal = LiveRecords(), FileJournal(home / "journal")
        self.switch = PaperSwitch(home, any(p.startswith("rec") for p in parts))
        routing = Routing(self._current, clock.now)
        gate = Gate(self._current, routing, Spending(lambda number, trunk: None, clock.now), lambda: False)
        journal = self.journal if "journal" in parts else NoJournal()
        self.calls = self.switch.calls = Calls(self.switch, journal, clock, gate)
        occupancy = Occupancy(self.calls.get)
        self.persons = Persons(self._current, phones, occupancy.busy)
        self.projector = Projector(store, self.journal, self.records)
        places = Places(self.switch.raw, self.switch.raw, _settled, self.switch.release)
        room = DiskGuard(Disks((home,)).look, lambda: 0, Alerts(clock))
        self.recordings = Recordings(self.calls, self.records, PaperSound(), places, lambda: "opus", room)
        stories = Stories(store, self.calls)
        loops: dict[str, Any] = {"journal": self.journal.flush_forever, "projector": self.projector.run}
        loops["stories"] = stories.run
        self.tasks += [asyncio.ensure_future(loops[part]()) for part in parts if part in loops]
        hub = Hub(self.records, PresenceView(self._current, phones.registered, occupancy.busy), self._current, clock)
        watchers = [self.records, occupancy, routing, hub, Metrics(self.records)]
        others: dict[str, list[Any]] = {"watchers": watchers, "stories": [stories], "recordings": [self.recordings]}
        self.calls.observers += [observer for part in parts for observer in others.get(part, [])]

    def _current(self) -> Directory:
        return self.directory

    async def carry(self, count: int, rate: float) -> None:
        """So many calls, begun at this rate; returns when nothing of them is left to do."""
        user = next(iter(self.directory.users.values()))
        device = next(iter(self.directory.devices))
        began = asyncio.get_running_loop().time()
        for at in range(count):
            await asyncio.sleep(began + at / rate - asyncio.get_running_loop().time())
            person = self.persons.of(user, Direction.OUTBOUND)
            number = f"+1206555{at % CUSTOMERS:04d}"
            event = Dialled(f"PJSIP-{at}", device, person, number[2:], number)
            self.calls.begin(CallId(ids.new(ids.CALL)), event, f"PJSIP-{at}")
        while len(self.calls) or self.recordings.waiting:  # noqa: ASYNC110 - nobody else waits for this
            await asyncio.sleep(0.1)
        if len(self.tasks) > 1:
            await self.projector.flush()

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.journal.close()


async def figures(
    count: int = CALLS, rate: float = RATE, stores: Sequence[str] = ("sqlite", "postgresql")
) -> list[Figure]:
    found = []
    for name in stores:
        try:
            async with STORES[name]() as (url, server):
                found += await _by_part(name, url, server, count, rate)
        except postgres.NoPostgres as error:
            print(error)
    return found


async def _by_part(name: str, url: str, server: int, count: int, rate: float) -> list[Figure]:
    """In rounds, the least of each: what else runs on the machine can only make processor time more."""
    store = Store(url)
    directory = await _organisation(store)
    spent = [float("inf")] * len(PARTS)
    beside = float("inf")
    for _ in range(ROUNDS):
        for number in range(len(PARTS)):
            before = _family_cpu_s(server)
            spent[number] = min(spent[number], await _spent(store, directory, PARTS[: number + 1], count, rate))
        beside = min(beside, (_family_cpu_s(server) - before) * 1000 / count)
    await store.close()
    costs = [after - before for before, after in zip([0.0, *spent], spent, strict=False)]
    found = [shown(f"engine, {name}: {part}", cost, "ms/call") for part, cost in zip(PARTS, costs, strict=True)]
    found.append(shown(f"engine, {name}: all of it", spent[-1], "ms/call"))
    return [*found, shown(f"engine, {name}: the server beside it", beside, "ms/call")] if server else found


async def _spent(store: Store, directory: Directory, parts: Sequence[str], count: int, rate: float) -> float:
    """Milliseconds of processor time a call, of this process."""
    with tempfile.TemporaryDirectory(prefix="switchhook-engine-") as home:
        rig = Rig(Path(home), store, directory, parts)
        try:
            await rig.carry(20, rate)
            gc.collect()
            gc.freeze()
            began = time.process_time()
            await rig.carry(count, rate)
            return (time.process_time() - began) * 1000 / count
        finally:
            await rig.close()


async def _settled(recording: str) -> None:
    return


async def _organisation(store: Store) -> Directory:
    async with store.write(SYSTEM) as work:
        user = await users.add(work, {"email": "bench@demo.example", "name": "Bench", "max_concurrent": 10000})
        await numbers.add(work, {"number": "+14155550101", "user": user.id})
        await devices.add(work, {"user": user.id, "name": "load"})
        await trunks.add(work, {"name": "far end", "host": "127.0.0.1", "match_addresses": ["127.0.0.1"]})
        await settings.change(work, "recording.enabled", True)
        await settings.change(work, "recording.follow_law", False)
        for at in range(0, CUSTOMERS, 3):
            await people.add(work, "lead", {"name": f"Lead {at}", "phones": [{"number": f"+1206555{at:04d}"}]})
    async with store.read() as session:
        return await directories.load(session)


@asynccontextmanager
async def _sqlite() -> AsyncIterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory(prefix="switchhook-engine-") as home:
        url = f"sqlite:///{home}/store.db"
        await migrate(url)
        yield url, 0


@asynccontextmanager
async def _postgresql() -> AsyncIterator[tuple[str, int]]:
    """With the process id of the server."""
    cluster = postgres.start()
    try:
        url = cluster.create_database("bench")
        await migrate(url)
        yield url, int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])
    finally:
        cluster.stop()


STORES = {"sqlite": _sqlite, "postgresql": _postgresql}


def _family_cpu_s(pid: int) -> float:
    """Processor seconds of a process, its children now and those that have ended; 0 where there is none."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat") if pid else ():
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            own = int(stat.parent.name) == pid
            if own or int(fields[1]) == pid:
                total += sum(map(int, fields[11 : 15 if own else 13]))
    return total / TICKS_PER_S


async def _profiled(store_name: str, count: int, rate: float) -> None:
    async with STORES[store_name]() as (url, _):
        store = Store(url)
        directory = await _organisation(store)
        with cProfile.Profile() as profile:
            print(f"{await _spent(store, directory, PARTS, count, rate):.3f} ms/call")
        profile.print_stats("tottime")
        await store.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Measure what the engine itself needs for a call.")
    arguments.add_argument("--calls", type=int, default=CALLS)
    arguments.add_argument("--rate", type=float, default=RATE)
    arguments.add_argument("--store", choices=tuple(STORES), help="this store alone")
    arguments.add_argument("--profile", choices=tuple(STORES), help="where the time of it all goes, with this store")
    asked = arguments.parse_args()
    if asked.profile:
        uvloop.run(_profiled(asked.profile, asked.calls, asked.rate))
    else:
        wanted = [asked.store] if asked.store else list(STORES)
        report(uvloop.run(figures(asked.calls, asked.rate, wanted)))
