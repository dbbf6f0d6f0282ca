"""From the sound that is being written to the recording that can be heard.

A recording is finished when its call's channel has let go of the file: encoded beside the calls, checked against the
length that the call says it must have, and moved into place whole. What is shorter is never called complete
(TRUST 6). What an earlier run left behind is finished at the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.disk_guard import DiskGuard
from pbx.services.live_records import LiveRecords
from pbx.services.runtime import Calls, UnknownCall

log = structlog.get_logger("recordings")

SHORTFALL_MS = 1500
STILL_S = 0.25
LONGEST_WAIT_S = 20.0


def our_side(source: Path) -> Path:
    """Beside the customer's side of a recording that is being written: ours."""
    return source.with_name(f"ours_{source.name}")


Part = dict[str, Any]
"""A party's track, or a private part, of a recording; as its row names them."""


class Finished(Protocol):
    @property
    def duration_ms(self) -> int: ...


class Sound(Protocol):
    """Encodes in a process of its own. Raises SoundFault."""

    async def finish_recording(self, source: Path, name: str, codec: str) -> Finished: ...
    async def finish_conference(
        self, source: Path, name: str, codec: str, tracks: list[Part], private: list[Part]
    ) -> Finished: ...
    async def finish_voicemail(self, source: Path, name: str, codec: str) -> Finished: ...


class SoundFault(Exception):
    """The sound could not be finished; the text is a sentence. ``unwritten``: there was some, and no file took it."""

    def __init__(self, sentence: str, *, unwritten: bool = False) -> None:
        super().__init__(sentence)
        self.unwritten = unwritten


@dataclass(frozen=True, slots=True)
class Places:
    """Where sound is written while it happens. ``settled`` waits for what was asked of a recording; ``release`` says
    that what was written of it is needed no more."""

    raw: Callable[[str], Path]
    voicemail: Callable[[str], Path]
    settled: Callable[[str], Awaitable[None]]
    release: Callable[[str], None]


class Recordings:
    """An observer of the calls; one task a recording, one encoder for all."""

    def __init__(
        self,
        calls: Calls,
        records: LiveRecords,
        sound: Sound,
        places: Places,
        codec: Callable[[], str],
        disk: DiskGuard,
    ) -> None:
        self._calls = calls
        self._records = records
        self._sound = sound
        self._places = places
        self._codec = codec
        self._disk = disk
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        return len(self._tasks)

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            if fact.kind == "recording.stopped":
                self._start(self._recording(call, str(fact.data["recording"])))
            elif fact.kind in ("voicemail.recorded", "voicemail.left"):
                self._start(self._voicemail(call, str(fact.data["voicemail"])))
            elif fact.kind == "voicemail.empty":
                self._start(_dropped(self._places.voicemail(str(fact.data["voicemail"]))))

    def taken_over(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """What was stopped and not finished by the engine before."""
        done = {_sound_of(fact) for _, fact in facts if fact.kind.endswith(".finished")}
        self.happened(call, [each for each in facts if _sound_of(each[1]) not in done])

    def finish_left_behind(self, call: CallId, recording: str, *, after: int) -> None:
        """A recording whose engine died before it was finished; ``after`` is the number of its call's last fact."""
        self._start(self._recording(call, recording, after=after))

    def finish_message_left_behind(self, call: CallId, voicemail: str, *, after: int) -> None:
        """The same for a message that a caller left."""
        self._start(self._voicemail(call, voicemail, after=after))

    async def drain(self, deadline_s: float) -> None:
        """Give what is being finished a while; the rest is finished at the next start."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=deadline_s)
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _recording(self, call: CallId, recording: str, after: int | None = None) -> None:
        tracks, private = self._parts(call, recording)
        sounds = [recording, *(str(track["track"]) for track in tracks)]
        for name in sounds:
            await self._places.settled(name)
            await _still(self._places.raw(name))
        try:
            source = self._places.raw(recording)
            done = await self._with_room(lambda: self._finished(recording, tracks, private), source, recording)
        except SoundFault as fault:
            problem = {"recording": recording, "state": "failed", "problem": str(fault)}
            if self._tell(call, "recording.finished", problem, after):
                self._release_empty(sounds)
            return
        expected = self._expected_ms(call, recording)
        data: dict[str, object] = {"recording": recording, "state": "ready", **asdict(done)}  # type: ignore[call-overload]
        if expected is not None and done.duration_ms < expected - SHORTFALL_MS:
            data["state"] = "incomplete"
            data["problem"] = f"It holds {done.duration_ms / 1000:.1f} s of the {expected / 1000:.1f} s of the call."
            log.error("recording.incomplete", call=call, recording=recording, problem=data["problem"])
        if self._tell(call, "recording.finished", data, after):
            for name in sounds:
                self._places.release(name)

    def _release_empty(self, sounds: Sequence[str]) -> None:
        """What is damaged stays for a person to look at; files in which nothing is are of use to others."""
        for name in sounds:
            source = self._places.raw(name)
            if not _size(source) and not _size(our_side(source)):
                self._places.release(name)

    async def _finished(self, recording: str, tracks: list[Part], private: list[Part]) -> Finished:
        source, codec = self._places.raw(recording), self._codec()
        if not tracks:
            return await self._sound.finish_recording(source, recording, codec)
        placed = [
            {"path": str(self._places.raw(str(track["track"]))), "offset_ms": track["offset_ms"]} for track in tracks
        ]
        return await self._sound.finish_conference(source, recording, codec, placed, private)

    def _parts(self, call: CallId, recording: str) -> tuple[list[Part], list[Part]]:
        """The tracks and the private parts of a recording of this run's."""
        record = self._records.get(call)
        row = record.recordings.get(recording) if record else None
        return (list(row["tracks"] or []), list(row["private"] or [])) if row else ([], [])

    async def _voicemail(self, call: CallId, voicemail: str, after: int | None = None) -> None:
        source = self._places.voicemail(voicemail)
        await _still(source)
        try:
            finish = self._sound.finish_voicemail
            done = await self._with_room(lambda: finish(source, voicemail, self._codec()), source, voicemail)
        except SoundFault as fault:
            problem = {"voicemail": voicemail, "state": "failed", "problem": str(fault)}
            self._tell(call, "voicemail.finished", problem, after)
            return
        data: dict[str, object] = {"voicemail": voicemail, "state": "ready", **asdict(done)}  # type: ignore[call-overload]
        if self._tell(call, "voicemail.finished", data, after):
            source.unlink(missing_ok=True)

    async def _with_room(self, finish: Callable[[], Awaitable[Finished]], source: Path, name: str) -> Finished:
        """Where the disk has no room for it, what was written waits in the spool until there is. Raises SoundFault."""
        while True:
            try:
                return await finish()
            except SoundFault as fault:
                if not fault.unwritten:  # to look costs every file on the disk time, Asterisk's as well
                    raise
                await self._disk.look()
                if self._disk.fits(_size(source)):
                    raise
            log.warning("recording.waits_for_room", recording=name)
            await self._disk.until_fits(_size(source))

    def _expected_ms(self, call: CallId, recording: str) -> int | None:
        record = self._records.get(call)
        row = record.recordings.get(recording) if record else None
        if row is None or row["ended_us"] is None:
            return None
        return int(row["ended_us"] - row["started_us"]) // 1000

    def _tell(self, call: CallId, kind: str, data: Mapping[str, object], after: int | None = None) -> bool:
        """Whether it stands in the log now; else the sound as it was written is kept for the next start."""
        try:
            self._calls.annotate(call, kind, dict(data), after=after)
        except UnknownCall:
            log.warning("recording.call_unknown", call=call, kind=kind)
            return False
        return True


def _sound_of(fact: Fact) -> object:
    return fact.data.get("recording") or fact.data.get("voicemail")


async def _dropped(path: Path) -> None:
    """Nobody spoke: what little there is goes when it is no longer written."""
    await _still(path)
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def _still(path: Path) -> None:
    """Wait until nobody writes to the file any more: MixMonitor ends a moment after its channel."""
    size, waited = -1, 0.0
    while waited < LONGEST_WAIT_S:
        now = _size(path)
        if now == size:
            return
        size = now
        await asyncio.sleep(STILL_S)
        waited += STILL_S


def _size(path: Path) -> int:
    """On a local disk: cheaper than a thread to ask in."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
