"""A thousand consoles follow the event stream, and one of them never reads: ``python -m bench sockets``.

A host mutes and unmutes; how long the news takes to the last of those who read is measured, until the one that does
not has been cut off and a little beyond. They sit in a process of their own, ``python -m bench.sockets``, which is told
where to connect and answers by JSON lines: one once all are connected, one at the end.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.conference import Desk, call_out, seated
from bench.figures import Figure, at_least, at_most, shown
from bench.load import median, percentile
from bench.stack import Stack, stack
from crm.services import tokens, users
from crm.unit_of_work import SYSTEM, Store
from tests.support.sip_phone import SipPhone
from tests.support.waiting import until

SOCKETS, NEWS, EVERY_S = 1_000, 300, 0.2
WITHIN_MS, CUT_OFF_WITHIN_S = 200.0, 60.0
UNREAD = 4096  # octets that the kernel keeps for the one that does not read
SETTLE_S, AWAKE_EVERY_S = 3.0, 5.0
_NOBODYS = "0"  # the number of a socket that no process holds any more
_NEWS = re.compile(rb'"kind":"leg.(?:un)?muted"')
_LONGEST = len(b'"kind":"leg.unmuted"') - 1


async def figures() -> list[Figure]:
    async with stack() as over, seated(over) as desk:
        far_end = await SipPhone.start("carrier", ("127.0.0.1", over.config.sip_port), port=over.carrier_port)
        far_end.will_answer()
        await call_out(desk)
        foreign = await _foreign(over, await _token(over))
        asked, heard = await _news(over, desk)
        await desk.ask(desk.host, "hangup")
        await far_end.stop()
    return _figures(asked, heard, foreign)


def _figures(asked: list[float], heard: dict[str, Any], foreign: int) -> list[Figure]:
    at = f"{SOCKETS} event sockets, one never reads"
    last = [(came - began) * 1000 for began, came in zip(asked, heard["last"], strict=False)]
    whole = sum(1 for count in heard["counts"] if count == SOCKETS - 1)
    return [
        at_least(f"{at}: news that all others heard", whole, "news", len(asked)),
        shown(f"{at}: a command to the last of the others, median", median(last), "ms"),
        at_most(f"{at}: a command to the last of the others, p99", percentile(last, 0.99), "ms", WITHIN_MS),
        shown(f"{at}: a command to the last of the others, slowest", max(last), "ms"),
        at_most(f"{at}: the one is cut off after", heard["cut_off_s"], "s", CUT_OFF_WITHIN_S),
        at_most("event sockets that a page of another site opened", foreign, "sockets", 0),
    ]


async def _news(over: Stack, desk: Desk) -> tuple[list[float], dict[str, Any]]:
    """The moments at which the host asked, and what the others say of each."""
    listening = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sockets"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        limit=1 << 20,
    )
    assert listening.stdin is not None and listening.stdout is not None
    told = {"port": over.config.http_port, "token": await _token(over)}
    listening.stdin.write(json.dumps(told).encode() + b"\n")
    try:
        await asyncio.wait_for(listening.stdout.readline(), 120)
        asked = []
        for number in range(NEWS):
            asked.append(await desk.ask(desk.host, "unmute" if number % 2 else "mute"))
            await asyncio.sleep(EVERY_S)
        listening.stdin.close()
        return asked, dict(json.loads(await asyncio.wait_for(listening.stdout.readline(), 60)))
    finally:
        with suppress(ProcessLookupError):
            listening.kill()
        await listening.wait()


async def _foreign(over: Stack, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://evil.example"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{over.config.http_port}") as http:
        try:
            await http.ws_connect("/api/v1/events", headers=headers)
        except aiohttp.WSServerHandshakeError:
            return 0
    return 1


async def _token(over: Stack) -> str:
    """Of somebody who sees all calls."""
    store = Store(over.config.database_url)
    async with store.write(SYSTEM) as work:
        email = f"admin{time.monotonic_ns()}@demo.example"
        admin = await users.add(work, {"email": email, "name": "Admin", "role": "admin"})
        made = await tokens.add(work, admin.id, {"name": "bench", "scopes": ["events:read"]})
    await store.close()
    await asyncio.sleep(1.5)  # until the engine goes by it
    return made.secret


# -- those who follow --------------------------------------------------------------------------------


@dataclass
class Followers:
    """``counts`` are how many have heard each news, ``last`` when the last of them did."""

    counts: list[int] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    cut_off_s: float = float("nan")

    def heard(self, number: int) -> None:
        while len(self.counts) <= number:
            self.counts.append(0)
            self.last.append(0.0)
        self.counts[number] += 1
        self.last[number] = time.monotonic()


@dataclass(slots=True)
class Follower:
    """Reads as cheaply as Python can, as it shares the processors with the engine: it looks for the news alone."""

    wire: socket.socket
    followers: Followers
    news: int = 0
    rest: bytes = b""
    begun: bool = False  # has its snapshot

    def read(self) -> None:
        got = self.rest + self.wire.recv(1 << 18)
        self.begun = True
        for _ in _NEWS.findall(got):
            self.followers.heard(self.news)
            self.news += 1
        self.rest = got[-_LONGEST:] if _NEWS.search(got[-_LONGEST:]) is None else b""


async def _follow(port: int, token: str) -> None:
    followers, loop = Followers(), asyncio.get_running_loop()
    asleep = await _connected(port, token, UNREAD)
    began = time.monotonic()
    connected = [await _connected(port, token) for _ in range(SOCKETS - 1)]
    everybody = [Follower(wire, followers) for wire in connected]
    for each in everybody:
        loop.add_reader(each.wire, each.read)
    await until(lambda: all(each.begun for each in everybody), 60, "the snapshots", every=0.2)
    await asyncio.sleep(SETTLE_S)
    watching = asyncio.ensure_future(_watch(asleep, began, followers))
    awake = asyncio.ensure_future(_stay_awake(connected))
    print("connected", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.sleep(1.0)
    print(json.dumps(asdict(followers)), flush=True)
    watching.cancel()
    awake.cancel()


async def _watch(asleep: socket.socket, began: float, followers: Followers) -> None:
    """Its own end hears nothing of it, behind what it has not read: the kernel tells whether anybody has the other."""
    here, there = (f":{port:04X}" for _, port in (asleep.getsockname(), asleep.getpeername()))

    def cut_off() -> bool:
        rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        ends = [row[9] for row in rows if row[1].endswith(there) and row[2].endswith(here)]
        return set(ends) <= {_NOBODYS}

    await until(cut_off, 2 * CUT_OFF_WITHIN_S, "the one that does not read to be cut off", every=1.0)
    followers.cut_off_s = time.monotonic() - began


async def _stay_awake(wires: Sequence[socket.socket]) -> None:
    """Answers to pings that may not have come yet (RFC 6455 section 5.5.3)."""
    while True:
        await asyncio.sleep(AWAKE_EVERY_S)
        for wire in wires:
            wire.send(b"\x8a\x80\0\0\0\0")


async def _connected(port: int, token: str, unread: int = 0) -> socket.socket:
    """It has asked for the stream, and that is all."""
    wire, loop = socket.socket(), asyncio.get_running_loop()
    if unread:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, unread)
    wire.setblocking(False)
    await loop.sock_connect(wire, ("127.0.0.1", port))
    request = (
        f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: c3dpdGNoaG9vayBiZW5jaA==\r\n\r\n"
    )
    await loop.sock_sendall(wire, request.encode())
    return wire


if __name__ == "__main__":
    asked_for = json.loads(sys.stdin.readline())
    asyncio.run(_follow(asked_for["port"], asked_for["token"]))
