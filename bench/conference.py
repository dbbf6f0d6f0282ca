"""From a conference command to its effect, as the guest's phone hears and sees it, with fifty other calls up.

A command leaves over HTTP; its effect is a packet with music in it, the host's voice again, an INVITE, a BYE, or the
event that says who is host now.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.figures import Figure, at_most
from bench.load import ENGINE, SCENARIOS, median, percentile
from bench.stack import Stack, stack
from crm.services import devices, numbers, tokens, users
from crm.unit_of_work import SYSTEM, Store
from prompts.music import MUSIC_TONES
from tests.support.free_ports import free_port
from tests.support.g711 import decode
from tests.support.rtp import Heard
from tests.support.sip_call import Call
from tests.support.sip_phone import SipPhone
from tests.support.tones import tone_level_dbfs

OTHERS, HOLDS, INVITES, HANDOVERS = 50, 60, 25, 15
HOST_TONE, GUEST_TONE = 700.0, 900.0
HEARD_DBFS = -30.0
SCOPES = ["calls:read", "calls:write", "events:read"]


@dataclass(slots=True)
class User:
    id: str
    did: str
    token: str
    phone: SipPhone


@dataclass(slots=True)
class Desk:
    """A host in a call, and the API as each of the two users uses it."""

    over: Stack
    http: aiohttp.ClientSession
    host: User
    guest: User
    call_id: str = ""

    async def ask(self, user: User, path: str, body: Any = None) -> float:
        """Gives the moment at which the command left."""
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {user.token}"}
        async with self.http.post(f"/api/v1/calls/{self.call_id}/{path}", json=body, headers=headers) as answer:
            if answer.status >= 300:
                raise RuntimeError(f"{path}: {answer.status} {await answer.text()}")
        return began

    async def detail(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.host.token}"}
        async with self.http.get(f"/api/v1/calls/{self.call_id}", headers=headers) as answer:
            return dict(await answer.json())

    async def invited(self) -> tuple[float, Call]:
        """Milliseconds to the guest's INVITE, and the call there, answered."""
        began = await self.ask(self.host, "invite", {"user": self.guest.id})
        ringing = await self.guest.phone.incoming()
        took = (ringing.at.invited - began) * 1000
        await ringing.answer()
        ringing.say(GUEST_TONE)
        await ringing.until_hears(HOST_TONE)
        return took, ringing


async def figures() -> list[Figure]:
    async with stack() as over, seated(over) as desk, _others(over):
        times: dict[str, list[float]] = {"hold": [], "unhold": [], "invite": [], "kick": [], "handover": []}
        await call_out(desk)
        for _ in range(INVITES):
            took, at_guest = await desk.invited()
            times["invite"].append(took)
            leg = (await desk.detail())["conference"]["guest_leg"]
            for _ in range(HOLDS // INVITES + 1):
                await _hold(desk, at_guest, leg, times)
            began = await desk.ask(desk.host, f"parties/{leg}/kick")
            times["kick"].append((await at_guest.until_ended() - began) * 1000)
        await desk.ask(desk.host, "hangup")
        for _ in range(HANDOVERS):
            times["handover"].append(await _handover(desk))
    return _bounds(times)


def _bounds(times: dict[str, list[float]]) -> list[Figure]:
    at = f"conference, {OTHERS} other calls up"
    return [
        at_most(f"{at}: hold to music, median", median(times["hold"]), "ms", 60),
        at_most(f"{at}: hold to music, p99", percentile(times["hold"], 0.99), "ms", 150),
        at_most(f"{at}: unhold to voice, median", median(times["unhold"]), "ms", 60),
        at_most(f"{at}: unhold to voice, p99", percentile(times["unhold"], 0.99), "ms", 150),
        at_most(f"{at}: invite to the guest's INVITE, median", median(times["invite"]), "ms", 15),
        at_most(f"{at}: kick to BYE, median", median(times["kick"]), "ms", 20),
        at_most(f"{at}: handover visible in events, median", median(times["handover"]), "ms", 20),
    ]


async def _hold(desk: Desk, at_guest: Call, leg: str, times: dict[str, list[float]]) -> None:
    began = await desk.ask(desk.host, f"parties/{leg}/hold")
    times["hold"].append((await _first(at_guest, began, _music) - began) * 1000)
    await asyncio.sleep(0.2)
    began = await desk.ask(desk.host, f"parties/{leg}/unhold")
    times["unhold"].append((await _first(at_guest, began, _voice) - began) * 1000)
    await asyncio.sleep(0.2)


def _music(packet: Heard) -> bool:
    samples = decode(packet.payload, packet.codec)
    return not _voice(packet) and max(tone_level_dbfs(samples, tone) for tone in MUSIC_TONES) > HEARD_DBFS - 15


def _voice(packet: Heard) -> bool:
    return tone_level_dbfs(decode(packet.payload, packet.codec), HOST_TONE) > HEARD_DBFS


async def _first(call: Call, since: float, is_it: Callable[[Heard], bool], within: float = 3) -> float:
    """When the first such packet came after that. Not its place on the stream's own time line, which is as far off as
    the packets were late that the line began with."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = next((each.arrived for each in call.rtp.ear.heard if each.arrived > since and is_it(each)), None)
        if found is not None:
            return found
        await asyncio.sleep(0.02)
    raise RuntimeError("the effect of a command was not heard within 3 s")


async def _handover(desk: Desk) -> float:
    await call_out(desk)
    _, at_guest = await desk.invited()
    headers = {"Authorization": f"Bearer {desk.host.token}"}
    async with desk.http.ws_connect("/api/v1/events", headers=headers) as events:
        await events.receive()  # the snapshot
        began = await desk.ask(desk.host, "leave")
        while True:
            message = (await asyncio.wait_for(events.receive(), 3)).json()
            if any(fact["kind"] == "host.changed" for fact in message.get("facts", ())):
                break
        took = (time.monotonic() - began) * 1000
    await at_guest.hang_up()
    return took


async def call_out(desk: Desk) -> None:
    """The host's phone calls the far end, which answers."""
    call = await desk.host.phone.call(f"{ENGINE}0001", tone=HOST_TONE)
    await call.until_answered()
    headers = {"Authorization": f"Bearer {desk.host.token}"}
    query = {"open": "true", "user": desk.host.id}
    async with desk.http.get("/api/v1/calls", params=query, headers=headers) as answer:
        desk.call_id = (await answer.json())["items"][0]["id"]


@asynccontextmanager
async def seated(over: Stack) -> AsyncIterator[Desk]:
    store = Store(over.config.database_url)
    host, guest = [await _user(over, store, number) for number in (2, 3)]
    await store.close()
    address = f"http://127.0.0.1:{over.config.http_port}"
    async with aiohttp.ClientSession(address) as http:
        yield Desk(over, http, host, guest)
    for user in (host, guest):
        await user.phone.stop()


async def _user(over: Stack, store: Store, number: int) -> User:
    did = f"+1415555010{number}"
    async with store.write(SYSTEM) as work:
        user = await users.add(work, {"email": f"u{number}@demo.example", "name": f"User {number}"})
        await numbers.add(work, {"number": did, "user": user.id})
        device = await devices.add(work, {"user": user.id, "name": "desk"})
        token = await tokens.add(work, user.id, {"name": "bench", "scopes": SCOPES})
    await asyncio.sleep(1.5)  # until the engine goes by it
    server = ("127.0.0.1", over.config.sip_port)
    phone = await SipPhone.start(device.device.id, server, device.secret, GUEST_TONE)
    return User(user.id, did, token.secret, phone)


@asynccontextmanager
async def _others(over: Stack) -> AsyncIterator[None]:
    """Fifty calls that stand, and a far end that answers at once."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise RuntimeError("SIPp is missing. Install it: apt-get install sip-tester")
    with tempfile.TemporaryDirectory(prefix="switchhook-sipp-") as directory:
        listed = Path(directory) / "numbers.csv"
        listed.write_text("SEQUENTIAL\n" + "".join(f"{ENGINE}{at:04d};\n" for at in range(OTHERS)))
        common = ("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1")
        far_end = (sipp, "-sf", SCENARIOS / "uas_answers.xml", "-p", over.carrier_port, "-d", 50, *common)
        phone = (
            *(sipp, "-sf", SCENARIOS / "uac_phone.xml", "-inf", listed, "-p", free_port()),
            *("-au", over.device, "-ap", over.secret, "-key", "device", over.device, "-r", 10, "-m", OTHERS),
            *("-l", OTHERS, "-d", 600_000, *common, "-timeout", 600, f"127.0.0.1:{over.config.sip_port}"),
        )
        started = [await _start(directory, far_end), await _start(directory, phone)]
        try:
            await _until(lambda: _calls(over), OTHERS)
            yield
        finally:
            for process in started:
                process.kill()
                await process.wait()


async def _start(directory: str, command: tuple[object, ...]) -> asyncio.subprocess.Process:
    sink = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*map(str, command), cwd=directory, stdout=sink, stderr=sink)


async def _calls(over: Stack) -> int:
    return int(str((await asyncio.to_thread(over.ready))["calls"]))


async def _until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    deadline = time.monotonic() + 30
    while await count() < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"fewer than {wanted} calls came up")
        await asyncio.sleep(0.2)
