"""Many RTP parties from one process, as cheaply as Python can: ``python -m bench.voices`` answers JSON lines.

A line says who talks and for how long; whoever has talked before goes on from the same socket with the same stream, as
a phone does. From anywhere else Asterisk would not hear it any more, nor send anything there (``strictrtp``).
Every party speaks a steady tone, one packet each 20 ms, made beforehand but for its number and time. Packets leave in
twenty slots of a millisecond, each party's in one that it drew: no phone is in step with another. A few parties
listen: the kernel notes when each packet came, so a reader that is late does no harm. What the others are sent stays
unread, and is dropped.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.support.g711 import encode
from tests.support.tones import make_tone

HOST = "127.0.0.1"
FRAME, FRAME_S, SLOTS = 160, 0.02, 20
TONES = (400.0, 700.0, 1100.0)  # whole numbers of periods in 20 ms, so that one packet follows itself
SILENCE = frozenset((0x7F, 0xFF, 0x7E, 0xFE))
SO_TIMESTAMPNS = 35
UNREAD = 1 << 14  # octets that wait for a party
_HEADER = struct.Struct("!HI")


@dataclass(slots=True)
class Party:
    """``port`` is where Asterisk hears it. ``came`` are the moments at which sound arrived for it, in seconds."""

    port: int
    wire: socket.socket
    packet: bytearray
    sequence: int = field(default_factory=lambda: random.randrange(1 << 16))
    stamp: int = field(default_factory=lambda: random.randrange(1 << 32))
    slot: int = field(default_factory=lambda: random.randrange(SLOTS))
    came: list[float] = field(default_factory=list)
    spoke: float = 0.0

    def goes_on(self) -> None:
        """After a while in which it said nothing, which its time stamps tell."""
        now = time.monotonic()
        if self.spoke:
            self.stamp = (self.stamp + round((now - self.spoke) / FRAME_S) * FRAME) & 0xFFFFFFFF
        self.spoke = now
        self.came.clear()

    def speak(self) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.stamp = (self.stamp + FRAME) & 0xFFFFFFFF
        _HEADER.pack_into(self.packet, 2, self.sequence, self.stamp)
        with suppress(OSError):
            self.wire.sendto(self.packet, (HOST, self.port))

    def listen(self) -> None:
        with suppress(BlockingIOError):
            while True:
                packet, notes, _, _ = self.wire.recvmsg(2048, 128)
                if not SILENCE.issuperset(packet[12:]):
                    seconds, nanoseconds = struct.unpack("qq", notes[0][2])
                    self.came.append(seconds + nanoseconds / 1e9)


def talk(
    known: dict[int, Party], ports: Sequence[int], listeners: Sequence[int], seconds: float, settle_s: float
) -> dict[str, Any]:
    """Gives the longest gap between sounds of each listener, in milliseconds, and how late the speaking itself was."""
    parties = [_known(known, at, port) for at, port in enumerate(ports)]
    heard = [parties[at] for at in listeners]
    slots = [[party for party in parties if party.slot == slot] for slot in range(SLOTS)]
    for party in parties:
        party.goes_on()
    began, turn, late = time.monotonic(), 0, 0.0
    while (now := time.monotonic() - began) < settle_s + seconds:
        due = turn * FRAME_S / SLOTS
        if now < due:
            time.sleep(due - now)
        elif now > settle_s:
            late = max(late, now - due)
        for party in slots[turn % SLOTS]:
            party.speak()
        heard[turn % len(heard)].listen()
        turn += 1
    for party in heard:
        party.listen()
    for party in parties:
        party.spoke = time.monotonic()
    return {"late_ms": late * 1000, "gaps_ms": [max(_gaps(party.came, time.time() - seconds)) for party in heard]}


def _gaps(came: Sequence[float], since: float) -> list[float]:
    moments = [since, *(at for at in came if at > since), time.time()]
    return [(after - before) * 1000 for before, after in pairwise(moments)]


def _known(parties: dict[int, Party], number: int, port: int) -> Party:
    if port not in parties:
        parties[port] = _party(number, port)
    return parties[port]


def _party(number: int, port: int) -> Party:
    head = struct.pack("!BBHII", 0x80, 0, 0, 0, random.randrange(1 << 32))
    tone = encode(make_tone(TONES[number % len(TONES)], FRAME_S), "PCMU")
    return Party(port, _socket(), bytearray(head + tone))


def _socket() -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD)
    wire.bind((HOST, 0))
    wire.setblocking(False)
    return wire


if __name__ == "__main__":
    with suppress(PermissionError):  # phones are not on this machine: they speak in time, whatever it does
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    everybody: dict[int, Party] = {}
    for line in sys.stdin:
        print(json.dumps(talk(everybody, **json.loads(line))), flush=True)
