"""Malformed SIP over UDP, TCP and websocket is survived, and others are answered at once meanwhile (TRUST 12)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import socket
import statistics
from collections.abc import Awaitable, Callable

import pytest

from bench.figures import at_most, shown
from tests.live.stage import Scene, Stack
from tests.support.malformed import messages
from tests.support.prober import Prober
from tests.support.trust import Measured

COUNT = 600


async def over_udp(stack: Stack) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for number, raw in enumerate(messages("UDP", COUNT)):
            wire.sendto(raw, stack.server)
            if number % 10 == 0:
                await asyncio.sleep(0.005)


async def over_tcp(stack: Stack) -> None:
    for number, raw in enumerate(messages("TCP", COUNT)):
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await asyncio.open_connection(*stack.server)
            writer.write(raw if number % 3 else raw[: len(raw) // 2])
            await asyncio.wait_for(writer.drain(), 1)
            writer.close()
        if number % 10 == 0:
            await asyncio.sleep(0.005)


async def over_websocket(stack: Stack) -> None:
    """Frames with malformed SIP in them, and frames that are malformed themselves."""
    for start in range(0, COUNT, 20):
        batch = list(messages("WS", COUNT))[start : start + 20]
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(stack.config.ari_host, stack.config.ari_port)
            writer.write(_handshake(stack))
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
            for number, raw in enumerate(batch):
                writer.write(_frame(raw, number))
            await asyncio.wait_for(writer.drain(), 1)
            await asyncio.sleep(0.01)
            writer.close()


def _handshake(stack: Stack) -> bytes:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{stack.config.ari_port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    ).encode()


def _frame(raw: bytes, number: int) -> bytes:
    """Text and binary, now and then a PONG that nobody asked for, and as the last one of a connection what is none."""
    opcode = {5: 0x8A, 9: 0x82}.get(number, 0x81)
    mask = secrets.token_bytes(4)
    payload = raw[:100] if opcode == 0x8A else raw[:12_000]
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    if number == 19:
        return b"\xff\xff" + b"\xff" * 8 + masked
    size = len(masked)
    head = bytes([opcode, 0x80 | size]) if size < 126 else bytes([opcode, 0xFE]) + size.to_bytes(2)
    return head + mask + masked


@pytest.mark.alone
@pytest.mark.trust(12)
@pytest.mark.covers("TRUST12")
@pytest.mark.parametrize(
    ("name", "attack"), [("UDP", over_udp), ("TCP", over_tcp), ("WS", over_websocket)], ids=["udp", "tcp", "ws"]
)
async def test_malformed_messages_are_survived_and_others_answered_at_once(
    scene: Scene, name: str, attack: Callable[[Stack], Awaitable[None]], measured: Measured
):
    rep = await scene.rep()
    pid = scene.stack.asterisk.pid
    attacking = asyncio.ensure_future(attack(scene.stack))
    prober, waited, missed = Prober(scene.stack.server, "127.0.0.1"), [], 0
    while not attacking.done() or len(waited) < 100:
        answer = await prober.ask("OPTIONS", "100")
        missed += answer.status is None
        waited.append(answer.ms)
        await asyncio.sleep(0.01)
    await attacking
    prober.close()
    dead = int(not scene.stack.asterisk.running or scene.stack.asterisk.pid != pid)
    measured(at_most(f"{name}: Asterisk dead after {COUNT} malformed messages", dead, "times", 0))
    measured(at_most(f"{name}: others' OPTIONS meanwhile, median", statistics.median(waited), "ms", 10))
    measured(shown(f"{name}: others' OPTIONS meanwhile, p99", sorted(waited)[int(len(waited) * 0.99)], "ms"))
    measured(at_most(f"{name}: others' OPTIONS without an answer", missed, "requests", 0))
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await ring.answer()
    await call.until_answered()
    await asyncio.gather(call.until_hears(540), ring.until_hears(820))
    await call.hang_up()
    await ring.until_ended()
