"""baresip, a real softphone, without a head: driven over its control socket, heard through the files it writes.

    softphone = await Baresip.start("d7kq...", "secret", ("127.0.0.1", 5060), tone=540, directory=tmp_path)
    await softphone.dial("+12065550150")
    await softphone.until_established()
    await softphone.until_hears(700)
    await softphone.hang_up()

It speaks a steady tone (its `ausine` module) and keeps what it decoded and what it sent in wav files
(`sndfile`). Those hold packets one after the other: where nothing arrives, nothing is written, so a pause
in them may be shorter than it was.

Debian 12's version 1.0.0 and newer. Opus, G.722, G.711; UDP, TCP, TLS; SRTP with keys in SDP.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.free_ports import free_port
from tests.support.sip_wire import Peer
from tests.support.tones import Samples, describe, has_tone, tones_in
from tests.support.waiting import Deadline, Missed, Signal

CODECS = {"opus": "opus/48000/2", "g722": "G722/16000/1", "ulaw": "PCMU/8000/1", "alaw": "PCMA/8000/1"}
MODULE_DIRECTORIES = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")
KEY_RELEASED = "\x04"
MODULES = ("opus", "g722", "g711", "ausine", "aufile", "aubridge", "sndfile", "srtp")
CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_buffer 40-100
audio_player aubridge,{name}
audio_source {source}
audio_alert aubridge,{name}-alert
ausrc_srate 48000
ausrc_channels 2
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
jitter_buffer_delay 2-5
rtp_ports {rtp}-{rtp_end}
snd_path {directory}
module_path {modules}
{loads}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


@dataclass(frozen=True)
class Event:
    """What baresip said happened: CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, REGISTER_OK ..."""

    at: float
    type: str
    fields: dict[str, Any]

    @property
    def text(self) -> str:
        """The event's parameter: the reason of CALL_CLOSED, the digit of CALL_DTMF_START."""
        return str(self.fields.get("param", ""))


def installed() -> bool:
    return shutil.which("baresip") is not None and _module_directory() is not None


@dataclass
class Baresip:
    """One running softphone with one account."""

    directory: Path
    user: str
    domain: str
    process: subprocess.Popen[bytes]
    events: list[Event] = field(default_factory=list)
    signal: Signal = field(default_factory=Signal)
    _writer: asyncio.StreamWriter | None = None
    _reader: asyncio.Task[None] | None = None
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _mark: int = 0

    @classmethod
    async def start(
        cls,
        user: str,
        secret: str,
        server: Peer,
        directory: Path,
        tone: float = 540,
        *,
        transport: str = "udp",
        codecs: Sequence[str] = ("opus", "g722", "ulaw", "alaw"),
        srtp: bool = False,
        wav: Path | None = None,
        answer: str = "manual",
        register: bool = True,
    ) -> Baresip:
        """Start and register. `wav` (48000 Hz stereo for Opus, else the codec's rate) replaces the tone.

        `answer` is `manual`, `auto` or `early` (183 with sound first).
        """
        control = free_port()
        source = f"aufile,{wav}" if wav is not None else f"ausine,{round(tone)}"
        process = _launch(directory, control, source, user)
        phone = cls(directory, user, f"{server[0]}:{server[1]}", process)
        try:
            await phone._connect(control)
            await phone._add_account(secret, transport, codecs, srtp, answer, register)
        except BaseException:
            await phone.stop()
            raise
        return phone

    async def stop(self) -> None:
        """Hang up, unregister and end the process."""
        if self._writer is not None and self.process.poll() is None:
            await self.command("quit", check=False)
        try:
            await asyncio.to_thread(self.process.wait, 3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        if self._reader is not None:
            self._reader.cancel()
        if self._writer is not None:
            self._writer.close()

    # What the person does

    async def dial(self, number: str) -> None:
        self._mark = len(self.events)
        await self.command("dial", number if number.startswith("sip:") else f"sip:{number}@{self.domain}")

    async def answer(self) -> None:
        await self.command("accept")

    async def hang_up(self) -> None:
        await self.command("hangup")

    async def hold(self) -> None:
        await self.command("hold")

    async def resume(self) -> None:
        await self.command("resume")

    async def press(self, digits: str) -> None:
        """Digits by RFC 4733."""
        for digit in digits:
            await self.command("sndcode", digit)
            await asyncio.sleep(0.12)
            await self.command("sndcode", KEY_RELEASED)
            await asyncio.sleep(0.08)

    @property
    def digits(self) -> str:
        """All digits received since the start."""
        return "".join(event.text for event in self.events if event.type == "CALL_DTMF_START")

    async def transfer(self, number: str) -> None:
        await self.command("transfer", number if number.startswith("sip:") else f"sip:{number}@{self.domain}")

    async def command(self, name: str, parameters: str = "", within: float = 3, check: bool = True) -> str:
        """Any command of baresip's menu; what it prints."""
        assert self._writer is not None, "baresip's control socket is not connected."
        token = f"t{time.monotonic_ns()}"
        body = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        try:
            answer = await self.signal.until(
                lambda: self._answers.get(token), within, lambda: self._told(f"an answer to {name}")
            )
        except Missed:
            if check:
                raise
            return ""
        assert answer is not None
        if check and not answer.get("ok"):
            raise Missed(self._told(f"consent to “{name} {parameters}”: {answer.get('data')}"))
        return str(answer.get("data", ""))

    # Waiting

    async def until_event(self, kind: str, within: float = 5, containing: str = "") -> Event:
        """The first event of that type that no earlier wait has passed."""

        def look() -> Event | None:
            for index in range(self._mark, len(self.events)):
                if self.events[index].type == kind and containing in self.events[index].text:
                    self._mark = index + 1
                    return self.events[index]
            return None

        event = await self.signal.until(look, within, lambda: self._told(f"{kind} {containing}, {within:g} s"))
        assert event is not None
        return event

    async def incoming(self, within: float = 5) -> Event:
        """It rings; `.fields["peeruri"]` and `["peerdisplayname"]` say who calls."""
        return await self.until_event("CALL_INCOMING", within)

    async def until_ringing(self, within: float = 5) -> Event:
        return await self.until_event("CALL_RINGING", within)

    async def until_established(self, within: float = 5) -> Event:
        return await self.until_event("CALL_ESTABLISHED", within)

    async def until_closed(self, within: float = 5) -> Event:
        """The call is over; `.text` is the status and reason, such as `486 Busy Here`."""
        return await self.until_event("CALL_CLOSED", within)

    # The ear

    def recordings(self, side: str = "dec") -> list[Path]:
        """The wav files of what it heard (`dec`) or sent (`enc`), oldest call first."""
        return sorted(self.directory.glob(f"dump-*-{side}.wav"))

    def sound(self, side: str = "dec") -> tuple[Samples, int]:
        """All that the newest call heard so far, mono, and its rate; also while the file is being written."""
        files = self.recordings(side)
        return _read_growing_wav(files[-1]) if files else (np.zeros(0), 8000)

    def heard(self, last: float = 0.4) -> tuple[Samples, int]:
        samples, rate = self.sound()
        return samples[-round(last * rate) :], rate

    def hears(self, hz: float, within: float = 0.4) -> bool:
        """Whether the last sound it decoded is this tone. Silence without packets does not show here."""
        samples, rate = self.heard(within)
        return len(samples) >= rate * within * 0.9 and has_tone(samples, hz, rate)

    def tones(self, known: list[float], last: float = 1.0) -> set[float]:
        samples, rate = self.heard(last)
        return tones_in(samples, known, rate)

    async def until_hears(self, hz: float, within: float = 4) -> float:
        """Wait for the tone in what arrives from now on; the moment at which it was recognised."""
        start = len(self.sound()[0])

        def fresh() -> bool:
            samples, rate = self.sound()
            return len(samples) - start >= 0.4 * rate and has_tone(samples[-round(0.4 * rate) :], hz, rate)

        await self.signal.until(fresh, within, lambda: self._told(f"the tone {hz:g} Hz, {within:g} s"), 0.08)
        return time.monotonic()

    def _told(self, what: str) -> str:
        samples, rate = self.sound()
        seen = " ".join(event.type + (f"({event.text})" if event.text else "") for event in self.events[-20:])
        log = (self.directory / "log").read_text(errors="replace")[-1500:]
        return (
            f"baresip {self.user} waited for {what}.\nEvents: {seen or 'none'}\n"
            f"Heard, last 2 s: {describe(samples[-2 * rate :], rate)}\n{log}"
        )

    # Control socket: netstrings of JSON

    async def _connect(self, port: int) -> None:
        deadline = Deadline(5)
        while True:
            try:
                reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError as error:
                if deadline.over or self.process.poll() is not None:
                    raise Missed(self._told("its control socket")) from error
                await asyncio.sleep(0.05)
        self._reader = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                length = int((await reader.readuntil(b":"))[:-1])
                body = json.loads((await reader.readexactly(length + 1))[:-1])
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                return
            if body.get("event"):
                self.events.append(Event(time.monotonic(), str(body.get("type")), body))
            else:
                self._answers[str(body.get("token"))] = body
            self.signal.fire()

    async def _add_account(
        self, secret: str, transport: str, codecs: Sequence[str], srtp: bool, answer: str, register: bool
    ) -> None:
        listed = ",".join(CODECS[codec] for codec in codecs)
        account = (
            f"<sip:{self.user}@{self.domain};transport={transport}>;auth_user={self.user};auth_pass={secret}"
            f";audio_codecs={listed};answermode={answer};regint={300 if register else 0}"
            f"{';mediaenc=srtp-mand' if srtp else ''}"
        )
        await self.command("uanew", account)
        if register:
            await self.until_event("REGISTER_OK")


def _module_directory() -> str | None:
    return next((path for path in MODULE_DIRECTORIES if Path(path).is_dir()), None)


def _launch(directory: Path, control: int, source: str, name: str) -> subprocess.Popen[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    _write_config(directory, control, source, name)
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            ["baresip", "-f", str(directory), "-v"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _write_config(directory: Path, control: int, source: str, name: str) -> None:
    modules = _module_directory()
    if modules is None:
        raise Missed("baresip is not installed. Install it: apt-get install baresip-core")
    rtp = free_port(width=62)
    loads = "\n".join(f"module {module}.so" for module in MODULES)
    text = CONFIG.format(
        sip=free_port(width=2),  # it takes the next one for TLS
        name=name,
        source=source,
        rtp=rtp,
        rtp_end=rtp + 60,
        directory=directory,
        modules=modules,
        loads=loads,
        control=control,
    )
    (directory / "config").write_text(text)
    (directory / "accounts").touch()


def _read_growing_wav(path: Path) -> tuple[Samples, int]:
    """A 16-bit wav whose header's length may not be written yet."""
    data = path.read_bytes()
    start = data.find(b"data") + 8
    if start < 44:
        return np.zeros(0), 8000
    channels, rate = int.from_bytes(data[22:24], "little"), int.from_bytes(data[24:28], "little")
    width = 2 * channels
    body = data[start : start + (len(data) - start) // width * width]
    samples = np.frombuffer(body, dtype="<i2").reshape(-1, channels).mean(axis=1) / 32768
    return np.asarray(samples, dtype=np.float64), rate
