"""How many three-party conferences can be recorded at once without a gap in what anyone hears.

Ours: a phone calls out, an outside guest is invited by the API, and everything is recorded as always, each party's
own voice beside the whole. Bare: three phones in a ``ConfBridge()`` of the same Asterisk that records. Everybody speaks
all the time (:mod:`bench.voices`), on the same two cores. There is more of it step by step until a listener misses
sound for more than 40 ms in both of two tries: a single gap may be the machine's own. ``python -m bench rooms``.

300 or, where the machine does not take as many, what it takes: mixing is Asterisk's work, and the speakers have the
same processors, so ours is held to the bare one of the same run. It must reach ``SHARE`` of it, though bare writes one
recording and ours three: measured, 60 beside 70. What is left is one step of the ladder, either way.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.figures import Figure, at_least, shown
from bench.load import ENGINE, SCENARIOS, program, start
from bench.stack import Stack, stack
from crm.services import tokens
from crm.unit_of_work import SYSTEM, Store
from pbx.core.ids import recording_of
from tests.support.free_ports import free_port

AIM, STEP = 300, 10
SHARE = 0.75  # of what bare Asterisk takes
GAP_MS, SECONDS, SETTLE_S, TRIES = 40.0, 5.0, 1.5, 2
LISTENERS = 12
RATE = 30  # calls begun in a second
BARE = "+8888"
ROOM = 3
_SOUND = '<action><ereg regexp="m=audio ([0-9]+)" search_in="body" assign_to="1,2" /><log message="[$2]" /></action>'
_REFERENCE = '<Reference variables="1" />\n</scenario>'
_CONFBRIDGE = "[general]\n\n[bridge]\ntype = bridge\nrecord_conference = yes\n\n[guest]\ntype = user\nquiet = yes\n"


@dataclass(slots=True)
class Heard:
    """Of one number of rooms. ``gap_ms`` is the longest that any listener had to bear in the better try."""

    rooms: int
    gap_ms: float
    late_ms: float
    asterisk_cores: float
    engine_cores: float
    recorded: int = 0

    @property
    def holds(self) -> bool:
        return self.gap_ms <= GAP_MS and self.recorded == self.rooms


@dataclass(slots=True)
class Hall:
    """The stack with a folder for SIPp, and the processes that hold its calls up."""

    over: Stack
    folder: Path
    http: aiohttp.ClientSession
    running: list[asyncio.subprocess.Process] = field(default_factory=list)
    begun: int = 0
    voices: asyncio.subprocess.Process | None = None

    def ports(self) -> list[int]:
        """Where Asterisk hears each party, as its session descriptions said."""
        logs = sorted(self.folder.glob("*_logs.log"))
        return [int(number) for log in logs for number in re.findall(r"^(\d+)$", log.read_text(), re.MULTILINE)]

    async def until_parties(self, count: int) -> bool:
        deadline = time.monotonic() + 15
        while len(self.ports()) < count:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    async def call(self, numbers: list[str]) -> None:
        """From our phone; the calls stay up."""
        listed = self.folder / f"numbers-{self.begun}.csv"
        listed.write_text("SEQUENTIAL\n" + "".join(f"{number};\n" for number in numbers))
        over, host = self.over, ("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1")
        self.running.append(
            await start(
                *(program(), "-sf", self.folder / "phone.xml", "-inf", listed, "-p", free_port(), "-trace_logs"),
                *("-au", over.device, "-ap", over.secret, "-key", "device", over.device, "-r", RATE),
                *("-m", len(numbers), "-l", len(numbers), "-d", 600_000, *host, f"127.0.0.1:{over.config.sip_port}"),
                directory=self.folder,
            )
        )
        self.begun += len(numbers)

    async def hear(self, rooms: int) -> Heard:
        best: Heard | None = None
        for _ in range(TRIES):
            heard = await self._try(rooms)
            if best is None or heard.gap_ms < best.gap_ms:
                best = heard
            if best.holds:
                break
        assert best is not None
        return best

    async def _try(self, rooms: int) -> Heard:
        ports = self.ports()
        every = max(1, len(ports) // LISTENERS)
        asked = {"ports": ports, "listeners": list(range(0, len(ports), every)), "seconds": SECONDS}
        before, began = self.over.cpu_s(), time.monotonic()
        told = await self._talk({**asked, "settle_s": SETTLE_S})
        after, took = self.over.cpu_s(), time.monotonic() - began
        gap = max(told["gaps_ms"])
        asterisk, engine = ((now - then) / took for now, then in zip(after, before, strict=True))
        return Heard(rooms, gap, told["late_ms"], asterisk, engine, self.recorded())

    async def _talk(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The same process for as long as the calls are up: a party must go on from where it began."""
        if self.voices is None:
            self.voices = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.voices"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[1],
            )
            self.running.append(self.voices)
        assert self.voices.stdin is not None and self.voices.stdout is not None
        self.voices.stdin.write(json.dumps(asked).encode() + b"\n")
        return dict(json.loads(await self.voices.stdout.readline()))

    def recorded(self) -> int:
        """Conferences of which sound is being written."""
        ours = [path for path in (self.over.config.home / "spool").glob("rec_*.sln") if not recording_of(path.stem)[1]]
        bare = (self.over.config.home / "asterisk" / "spool" / "monitor").glob("confbridge-*.wav")
        return sum(1 for path in (*ours, *bare) if path.stat().st_size)

    def forget_sound(self) -> None:
        for path in (self.over.config.home / "asterisk" / "spool" / "monitor").glob("confbridge-*.wav"):
            path.unlink()

    async def close(self) -> None:
        for process in self.running:
            if process.returncode is None:
                process.kill()
            await process.wait()
        for log in self.folder.glob("*_logs.log"):
            log.unlink()
        self.running.clear()
        self.voices = None
        await self.over.asterisk.cli("channel request hangup all")
        await asyncio.sleep(3)
        self.forget_sound()


async def figures(most: int = AIM) -> list[Figure]:
    found: list[Figure] = []
    async with _hall() as hall:
        highest = 0
        for name, more in (("bare ConfBridge", _bare_rooms), ("ours", _our_rooms)):
            steps = [heard async for heard in _climb(hall, more, most)]
            found += _figures(name, steps, min(AIM, SHARE * highest) or AIM)
            highest = _highest(steps)
            await hall.close()
    return found


def _highest(steps: list[Heard]) -> int:
    return max((step.rooms for step in steps if step.holds), default=0)


def _figures(name: str, steps: list[Heard], wanted: float) -> list[Figure]:
    at = f"conferences of three, recorded, {name}"
    text = f"{at}: at once without a gap over {GAP_MS:g} ms"
    highest = _highest(steps)
    found = [at_least(text, highest, "conferences", wanted) if name == "ours" else shown(text, highest, "conferences")]
    for step in steps:
        found += [
            shown(f"{at}, {step.rooms}: longest gap heard", step.gap_ms, "ms"),
            shown(f"{at}, {step.rooms}: recorded", step.recorded, "conferences"),
            shown(f"{at}, {step.rooms}: latest of the speakers themselves", step.late_ms, "ms"),
            shown(f"{at}, {step.rooms}: Asterisk", step.asterisk_cores, "cores"),
            shown(f"{at}, {step.rooms}: the engine", step.engine_cores, "cores"),
        ]
    return found


async def _climb(hall: Hall, more: Callable[[Hall, int], Awaitable[bool]], most: int) -> AsyncIterator[Heard]:
    """Until somebody misses sound, or a conference does not come about."""
    for rooms in range(STEP, most + 1, STEP):
        if not await more(hall, STEP) or not await hall.until_parties(rooms * ROOM):
            yield Heard(rooms, float("nan"), 0, 0, 0)
            return
        heard = await hall.hear(rooms)
        yield heard
        if not heard.holds:
            return


async def _bare_rooms(hall: Hall, count: int) -> bool:
    first = hall.begun // ROOM
    await hall.call([f"{BARE}{room:04d}" for room in range(first, first + count) for _ in range(ROOM)])
    return await hall.until_parties(hall.begun)


async def _our_rooms(hall: Hall, count: int) -> bool:
    """Our phone and the far end talk first; then the guest is called."""
    if not hall.running:
        hall.begun = 0
        hall.running.append(await _far_end(hall))
    before = len(hall.ports())
    await hall.call([f"{ENGINE}{at:04d}" for at in range(hall.begun, hall.begun + count)])
    if not await hall.until_parties(before + 2 * count):
        return False
    await asyncio.sleep(0.5)
    for number, call in enumerate(await _without_guest(hall)):
        body = {"number": f"+1206556{number:04d}"}
        async with hall.http.post(f"/api/v1/calls/{call}/invite", json=body) as answer:
            if answer.status >= 300:
                print(f"invite: {answer.status} {await answer.text()}")
                return False
        await asyncio.sleep(1 / RATE)
    return True


async def _without_guest(hall: Hall) -> list[str]:
    async with hall.http.ws_connect("/api/v1/events", max_msg_size=0) as events:
        snapshot = (await events.receive()).json()
    return [call["id"] for call in snapshot["calls"] if not (call["conference"] or {}).get("guest_leg")]


async def _far_end(hall: Hall) -> asyncio.subprocess.Process:
    return await start(
        *(program(), "-sf", hall.folder / "far_end.xml", "-p", hall.over.carrier_port, "-d", 20, "-trace_logs"),
        *("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1"),
        directory=hall.folder,
    )


@asynccontextmanager
async def _hall() -> AsyncIterator[Hall]:
    async with stack() as over:
        await _add_confbridge(over)
        token = await _token(over)
        with tempfile.TemporaryDirectory(prefix="switchhook-rooms-") as folder:
            _write_scenarios(Path(folder))
            address, headers = f"http://127.0.0.1:{over.config.http_port}", {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(address, headers=headers) as http:
                hall = Hall(over, Path(folder), http)
                try:
                    yield hall
                finally:
                    await hall.close()


def _write_scenarios(folder: Path) -> None:
    """As for the other figures, with a note of where Asterisk hears each party."""
    for name, source, answer in (
        ("phone", "uac_phone", '<recv response="200" rtd="2" rrs="true" />'),
        ("far_end", "uas_answers", '<recv request="INVITE" crlf="true" />'),
    ):
        text = (SCENARIOS / f"{source}.xml").read_text()
        noted = answer.replace(" />", f">{_SOUND}</recv>")
        (folder / f"{name}.xml").write_text(text.replace(answer, noted, 1).replace("</scenario>", _REFERENCE))


async def _add_confbridge(over: Stack) -> None:
    """Raises RuntimeError where this Asterisk has no ``ConfBridge()``."""
    (over.config.home / "asterisk" / "etc" / "confbridge.conf").write_text(_CONFBRIDGE)
    await over.asterisk.cli("module load app_confbridge.so")
    if "is not registered" in await over.asterisk.cli("core show application ConfBridge"):
        raise RuntimeError("this Asterisk has no ConfBridge() to be compared with")
    steps = ("Ringing", "Answer", "ConfBridge,${EXTEN},bridge,guest")
    for priority, step in enumerate(steps, 1):
        await over.asterisk.cli(f"dialplan add extension _{BARE}XXXX,{priority},{step} into from-endpoint")


async def _token(over: Stack) -> str:
    store = Store(over.config.database_url)
    scopes = ["calls:read", "calls:write", "events:read"]
    async with store.write(SYSTEM) as work:
        made = await tokens.add(work, "bench@demo.example", {"name": "bench", "scopes": scopes})
    await store.close()
    return made.secret
