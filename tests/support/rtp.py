"""RTP (RFC 3550) of one call: a voice that is a steady tone, an ear that remembers what arrived and when.

Every stream starts at a random sequence number, timestamp and SSRC, as real phones do; streams that all
start at zero hide faults that real ones show. `restart()` does what a phone does after a hold: a new SSRC
and new random numbers, which may lie behind the old ones.
"""

from __future__ import annotations

import asyncio
import bisect
import random
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import cast

import numpy as np

from tests.support import g711
from tests.support.sip_sdp import PAYLOADS
from tests.support.srtp import SrtpStream
from tests.support.tones import RATE, Samples, make_tone

FRAME = 160  # samples in 20 ms
FRAME_S = 0.02
DIGITS = "0123456789*#ABCD"
DIGIT_FRAMES, PAUSE_FRAMES, END_PACKETS = 5, 4, 3
DTMF_ROWS, DTMF_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
DTMF_KEYS = "123A456B789C*0#D"
REANCHOR_S = 0.15
NAMES = {number: name for name, number in PAYLOADS.items()}


@dataclass(frozen=True)
class Heard:
    """One packet of sound, placed on the time line of time.monotonic(); ``arrived`` is when it really came."""

    at: float
    codec: str
    payload: bytes
    arrived: float


@dataclass(frozen=True)
class Digit:
    """A DTMF digit received: `how` is `rfc4733` or `info`."""

    at: float
    digit: str
    how: str


class Ear:
    """Everything one call's RTP socket received.

    Packets of one SSRC lie at the distances their timestamps say; a new SSRC, or timestamps that part from
    the arrival by more than 150 ms (a jump), start anew at the moment of arrival.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.digits: list[Digit] = []
        self.sources: list[int] = []
        self.lost = 0
        self.dtmf_payload: int | None = None
        self._source: int | None = None
        self._anchor: tuple[float, int] | None = None
        self._last_sequence: int | None = None
        self._last_event: int | None = None

    def receive(self, packet: bytes, at: float) -> None:
        if len(packet) < 12 or packet[0] >> 6 != 2:
            return
        payload_type = packet[1] & 0x7F
        sequence, stamp, source = struct.unpack("!HII", packet[2:12])
        payload = packet[12 + 4 * (packet[0] & 0x0F) :]
        self._count_loss(source, sequence)
        if payload_type in NAMES:
            self._place(stamp, NAMES[payload_type], payload, at)
        elif payload_type == self.dtmf_payload and len(payload) >= 4:
            self._note_digit(payload, stamp, at)

    def between(self, start: float, end: float) -> Samples:
        """The sound of that time as samples at 8000 Hz; what did not arrive is silence."""
        sound = np.zeros(max(0, round((end - start) * RATE)))
        first = bisect.bisect_left(self.heard, start - 0.1, key=lambda packet: packet.at)
        last = bisect.bisect_right(self.heard, end, key=lambda packet: packet.at)
        for packet in self.heard[first:last]:
            samples, offset = g711.decode(packet.payload, packet.codec), round((packet.at - start) * RATE)
            samples = samples[max(0, -offset) :]
            offset = max(0, offset)
            room = len(sound) - offset
            if room > 0:
                sound[offset : offset + len(samples)] = samples[:room]
        return sound

    def packets_between(self, start: float, end: float) -> int:
        """How many packets of sound arrived: zero is a dead stream, which silence is not."""
        return sum(1 for packet in self.heard if start <= packet.at < end)

    def _count_loss(self, source: int, sequence: int) -> None:
        if source != self._source:
            self._source, self._last_sequence = source, None
            self.sources.append(source)
            self._anchor = None
        if self._last_sequence is not None:
            self.lost += max(0, min(100, (sequence - self._last_sequence - 1) & 0xFFFF))
        self._last_sequence = sequence

    def _place(self, stamp: int, codec: str, payload: bytes, at: float) -> None:
        moment, first_stamp = self._anchor or (0.0, stamp)
        ahead = (stamp - first_stamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        placed = moment + ahead / RATE
        if self._anchor is None or abs(placed - at) > REANCHOR_S:
            self._anchor, placed = (at, stamp), at
        heard = Heard(placed, codec, payload, at)
        if self.heard and placed < self.heard[-1].at:
            bisect.insort(self.heard, heard, key=lambda packet: packet.at)
        else:
            self.heard.append(heard)

    def _note_digit(self, payload: bytes, stamp: int, at: float) -> None:
        if stamp != self._last_event and payload[0] < len(DIGITS):
            self._last_event = stamp
            self.digits.append(Digit(at, DIGITS[payload[0]], "rfc4733"))


class RtpStream(asyncio.DatagramProtocol):
    """One call's RTP socket with its voice and ear."""

    def __init__(self, tone: float | None) -> None:
        self.ear = Ear()
        self.local: tuple[str, int] = ("", 0)
        self.remote: tuple[str, int] | None = None
        self.codec = "PCMU"
        self.dtmf_payload: int | None = None
        self.sending = True
        self.sent_packets = 0
        self.seal: SrtpStream | None = None
        self.unseal: SrtpStream | None = None
        self._tone: float | None = None
        self._voice: dict[str, bytes] = {}
        self._position = 0
        self._events: deque[bytes | None] = deque()
        self._inband: deque[bytes] = deque()
        self._transport: asyncio.DatagramTransport | None = None
        self._control: socket.socket | None = None
        self._talker: asyncio.Task[None] | None = None
        self.restart()
        self.say(tone)

    @classmethod
    async def open(cls, host: str, tone: float | None) -> RtpStream:
        """Bind an even port whose odd neighbour (RTCP) is free too."""
        loop = asyncio.get_running_loop()
        for _ in range(200):
            port = random.randrange(20000, 60000, 2)
            control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                control.bind((host, port + 1))
                _, stream = await loop.create_datagram_endpoint(lambda: cls(tone), local_addr=(host, port))
            except OSError:
                control.close()
                continue
            stream._control = control
            return stream
        raise OSError("No pair of free UDP ports was found between 20000 and 60000 for RTP.")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.local = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        plain = data if self.unseal is None else self.unseal.unprotect(data)
        if plain is not None:
            self.ear.receive(plain, time.monotonic())

    def error_received(self, exc: Exception) -> None:
        """The other side has closed its port; that is no concern of the sender."""

    def restart(self) -> None:
        """New SSRC, sequence number and timestamp, all random."""
        self.source = random.getrandbits(32)
        self.sequence = random.getrandbits(16)
        self.stamp = random.getrandbits(32)
        self._marker = True

    def say(self, tone: float | None) -> None:
        """Change the voice: a frequency in Hz (whole numbers keep their phase), or None for silence."""
        self._tone = tone
        sound = np.zeros(RATE) if tone is None else make_tone(tone, 1.0)
        self._voice = {codec: g711.encode(sound, codec) for codec in PAYLOADS}

    def say_sound(self, samples: Samples) -> None:
        """Say a piece of sound (8000 Hz) once, before going on with the tone."""
        padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME)])
        encoded = g711.encode(padded, self.codec)
        self._inband.extend(encoded[start : start + FRAME] for start in range(0, len(encoded), FRAME))

    def talk_to(self, host: str, port: int, codec: str, dtmf_payload: int | None) -> None:
        """Set the other side; the voice starts with the first call of this."""
        self.remote, self.codec, self.dtmf_payload = (host, port), codec, dtmf_payload
        if self._talker is None:
            self._talker = asyncio.get_running_loop().create_task(self._talk())

    def press(self, digits: str) -> None:
        """Queue RFC 4733 events: 100 ms each with 80 ms between."""
        for digit in digits:
            event = DIGITS.index(digit.upper())
            for frame in range(1, DIGIT_FRAMES + END_PACKETS + 1):
                ending = 0x80 if frame > DIGIT_FRAMES else 0
                length = min(frame, DIGIT_FRAMES) * FRAME
                self._events.append(struct.pack("!BBH", event, ending | 10, length))
            self._events.extend([None] * PAUSE_FRAMES)

    def press_inband(self, digits: str) -> None:
        """Queue digits as pairs of tones in the sound itself."""
        for digit in digits:
            row, column = divmod(DTMF_KEYS.index(digit.upper()), 4)
            low, high = DTMF_ROWS[row], DTMF_COLUMNS[column]
            pair = make_tone(low, 0.1, level_dbfs=-12) + make_tone(high, 0.1, level_dbfs=-12)
            self.say_sound(np.concatenate([pair, np.zeros(round(0.08 * RATE))]))

    @property
    def quiet(self) -> bool:
        """No digit and no piece of sound is waiting to be sent."""
        return not self._events and not self._inband

    def close(self) -> None:
        if self._talker is not None:
            self._talker.cancel()
        if self._transport is not None:
            self._transport.close()
        if self._control is not None:
            self._control.close()

    async def _talk(self) -> None:
        due = time.monotonic()
        while True:
            if self.sending:
                self._send_frame()
            self.stamp = self.stamp + FRAME & 0xFFFFFFFF
            due += FRAME_S
            behind = time.monotonic() - due
            if behind > 0.5:  # the machine slept: go on from here rather than send a burst
                due = time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _send_frame(self) -> None:
        event = self._events.popleft() if self._events else None
        if event is not None and self.dtmf_payload is not None:
            self._send_event(event)
            return
        start = self._position
        self._position = (start + FRAME) % RATE
        voice = self._inband.popleft() if self._inband else self._voice[self.codec][start : start + FRAME]
        self._send(PAYLOADS[self.codec], self.stamp, voice)

    def _send_event(self, event: bytes) -> None:
        first = event[1] < 0x80 and struct.unpack("!H", event[2:])[0] == FRAME
        if first:
            self._event_stamp, self._marker = self.stamp, True
        self._send(cast(int, self.dtmf_payload), self._event_stamp, event)

    def _send(self, payload_type: int, stamp: int, payload: bytes) -> None:
        if self.remote is None or self._transport is None or self._transport.is_closing():
            return
        kind = payload_type | (0x80 if self._marker else 0)
        self._marker = False
        header = struct.pack("!BBHII", 0x80, kind, self.sequence, stamp, self.source)
        packet = header + payload
        self._transport.sendto(packet if self.seal is None else self.seal.protect(packet), self.remote)
        self.sequence = self.sequence + 1 & 0xFFFF
        self.sent_packets += 1
