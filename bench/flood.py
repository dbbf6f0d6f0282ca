"""A flood of 3,000 INVITE a second while 20 calls are up: ``python -m bench flood``.

Once from an address of somebody else, which the engine blocks and Asterisk then hears no more; once from this machine's
own, which is never blocked, so that every one of them is challenged: the worst that a flood can do.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, at_least, at_most, shown
from bench.load import ENGINE, failed, percentile, program, start
from bench.stack import Stack, stack
from tests.support.free_ports import free_port
from tests.support.prober import Prober

CALLS, RATE, SECONDS = 20, 3000, 6.0
TALK_S = 26.0
STRANGER, NEVER_BLOCKED = "127.99.0.1", "127.0.0.1"
ANSWERED_WITHIN_MS = 10.0


@dataclass(slots=True)
class Flood:
    """What was sent, what came back, and how long others waited for an answer meanwhile."""

    sent: int = 0
    answered: int = 0
    seconds: float = 0.0


def flood(server: tuple[str, int], host: str, seconds: float) -> Flood:
    """Send as evenly as one thread can, and count the answers."""
    done, template = Flood(), _invite(server, host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        wire.bind((host, 0))
        wire.setblocking(False)
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            while done.sent < now * RATE:
                _send(wire, template % (done.sent, done.sent), server)
                done.sent += 1
            done.answered += _drain(wire)
            time.sleep(0.001)
        done.seconds = time.monotonic() - began
        time.sleep(0.5)
        done.answered += _drain(wire)
    return done


def _send(wire: socket.socket, raw: bytes, server: tuple[str, int]) -> None:
    try:
        wire.sendto(raw, server)
    except BlockingIOError:
        return  # the flood is wider than the wire


def _drain(wire: socket.socket) -> int:
    count = 0
    while True:
        try:
            wire.recv(65536)
        except (BlockingIOError, ConnectionError):
            return count
        count += 1


def _invite(server: tuple[str, int], host: str) -> bytes:
    name = f"{host}-{time.monotonic_ns()}"
    return (
        f"INVITE sip:+12065550199@{server[0]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:9;rport;branch=z9hG4bK-{name}-%d\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:100@{server[0]}>;tag=flood\r\nTo: <sip:+12065550199@{server[0]}>\r\n"
        f"Call-ID: {name}-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:100@{host}:9>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def _answers(server: tuple[str, int], until: asyncio.Future[Flood]) -> list[float]:
    """How long somebody else waits for the answer to an OPTIONS, again and again; none within a second counts so."""
    prober, waited = Prober(server, NEVER_BLOCKED), []
    while not until.done():
        waited.append((await prober.ask("OPTIONS", "100", 1.0)).ms)
        await asyncio.sleep(0.02)
    prober.close()
    return waited


@asynccontextmanager
async def calls_up(over: Stack, directory: Path) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """20 calls, for as long as they talk; what is given waits for their end and tells how many were dropped."""
    sipp, phone_port = program(), free_port()
    local = ("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1")
    far_end = await start(
        *(sipp, "-sf", _SCENARIOS / "uas_answers.xml", "-p", over.carrier_port, "-d", 100, *local), directory=directory
    )
    numbers = directory / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"{ENGINE}{at:04d};\n" for at in range(CALLS)))
    phone = await start(
        *(sipp, "-sf", _SCENARIOS / "uac_phone.xml", "-inf", numbers, "-p", phone_port),
        *("-au", over.device, "-ap", over.secret, "-key", "device", over.device),
        *("-r", 10, "-m", CALLS, "-d", int(TALK_S * 1000), "-trace_stat", "-fd", 1, *local),
        *("-timeout", int(TALK_S + 40), f"127.0.0.1:{over.config.sip_port}"),
        directory=directory,
    )
    up = CALLS

    async def dropped() -> int:
        await asyncio.wait_for(phone.wait(), TALK_S + 60)
        far_end.kill()
        await far_end.wait()
        return max(CALLS - up, failed(directory, phone.pid))

    try:
        await _until_up(over)
        yield dropped
        up = int(str(over.ready()["calls"]))
    except BaseException:
        for process in (phone, far_end):
            process.kill()
        raise


async def _one(over: Stack, directory: Path, host: str) -> list[Figure]:
    server = ("127.0.0.1", over.config.sip_port)
    async with calls_up(over, directory) as dropped:
        running = asyncio.ensure_future(asyncio.to_thread(flood, server, host, SECONDS))
        waited = await _answers(server, running)
        done = running.result()
    lost = await dropped()
    where = "a stranger" if host == STRANGER else "an address that is never blocked"
    return [
        at_least(f"flood from {where}: INVITEs sent", done.sent / done.seconds, "per s", 0.9 * RATE),
        shown(f"flood from {where}: answered", done.answered, "INVITEs"),
        at_most(f"flood from {where}: calls dropped of {CALLS}", lost, "calls", 0),
        _delay(f"flood from {where}: others' OPTIONS answered, median", percentile(waited, 0.5), host),
        shown(f"flood from {where}: others' OPTIONS answered, p99", percentile(waited, 0.99), "ms"),
    ]


def _delay(name: str, value: float, host: str) -> Figure:
    return at_most(name, value, "ms", ANSWERED_WITHIN_MS) if host == STRANGER else shown(name, value, "ms")


async def _until_up(over: Stack, within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while int(str(over.ready()["calls"])) < CALLS:
        if time.monotonic() > end:
            raise RuntimeError(f"only {over.ready()['calls']} of {CALLS} calls came up")
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.0)


_SCENARIOS = Path(__file__).parent.parent / "tests" / "scenarios"


async def figures() -> list[Figure]:
    async with stack() as over:
        with tempfile.TemporaryDirectory(prefix="switchhook-flood-") as directory:
            return [*await _one(over, Path(directory), STRANGER), *await _one(over, Path(directory), NEVER_BLOCKED)]
