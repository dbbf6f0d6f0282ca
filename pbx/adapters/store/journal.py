"""The journal: what happened to calls, appended to a file before anything follows from it.

The call path writes here and never waits for the database. A line written is in the kernel's hands, so it
survives the engine's own death; a thread flushes it to the disk a moment later, against the machine's. The
projector reads the lines, applies them to the store in batches, and lets finished segments be deleted; what was
left behind by a crash is read and applied at the next start. Applying twice changes nothing: a line's key is the
call and its number in the call.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import structlog

from pbx.core.commands import Fact
from pbx.core.ids import CallId

log = structlog.get_logger("journal")

SEGMENT_BYTES = 4 * 1024 * 1024
FLUSH_EVERY_S = 0.05
SET_ASIDE = "set-aside.lines"


@dataclass(frozen=True, slots=True)
class Line:
    """One fact as it stands in the journal; ``text`` is its data as JSON, where that has been made already."""

    call: str
    seq: int
    kind: str
    at_us: int
    data: dict[str, Any]
    text: str | None = field(default=None, compare=False)


class FileJournal:
    """Appends to numbered segments in a directory. Single writer: the engine that owns the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._number = max((_number(path) for path in directory.glob("*.jsonl")), default=0)
        self._handle = -1
        self._closing: list[int] = []
        self._taken_below = 0
        self._size = 0
        self._dirty = False
        self._owed = b""
        self.fresh: list[Line] = []
        self.wake = asyncio.Event()
        self._open_next()

    def append(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        written = []
        for seq, fact in facts:
            data = _json(fact.data)
            text = data.decode() if data is not None else None
            line = Line(call, seq, fact.kind, fact.at, fact.data, text)
            written.append(_encode(line, orjson.Fragment(data) if data is not None else fact.data))
            self.fresh.append(line)
        self._write(b"".join(written))
        self.wake.set()

    def _write(self, text: bytes) -> None:
        """A full disk must not end a call: what it did not take is owed, and written first when it takes again.

        The store is given the facts from memory in any case.
        """
        was_owed = bool(self._owed)
        self._owed += text
        try:
            while self._owed:
                written = os.write(self._handle, self._owed)
                self._owed = self._owed[written:]
                self._size += written
                self._dirty = True
            if was_owed:
                log.info("journal.whole_again")
        except OSError as error:
            if not was_owed:
                log.error("journal.write_failed", error=str(error), remedy="Make room on the engine's disk.")

    def take(self) -> list[Line]:
        """The lines that the store has not been given yet."""
        lines, self.fresh = self.fresh, []
        self._taken_below = self._number
        self.wake.clear()
        return lines

    def rotate(self) -> list[Path]:
        """Begin a new segment when this one is large; gives older ones, all of whose lines were taken before.

        To be called when everything taken has been applied: what is given may be deleted. A segment that is left in
        moment may hold lines that nobody has taken yet, so it is given after the next :meth:`take`.
        """
        if self._size >= SEGMENT_BYTES and not self._owed:
            self._open_next()
        return [path for path in self.segments() if _number(path) < self._taken_below]

    def set_aside(self, lines: Sequence[Line]) -> None:
        """Keep lines that no store would take, for a person to look at: segments are deleted, this file never is."""
        with (self._directory / SET_ASIDE).open("ab") as file:
            file.write(b"".join(_encode(line, line.data) for line in lines))

    def segments(self) -> list[Path]:
        return sorted(self._directory.glob("*.jsonl"))

    def left_behind(self) -> Iterator[Line]:
        """Lines of earlier segments; a line torn by a crash is its segment's last and was never acted on."""
        for path in self.segments():
            if _number(path) >= self._number:
                continue
            for raw in path.read_bytes().splitlines():
                try:
                    line = orjson.loads(raw)
                    yield Line(line["c"], line["n"], line["k"], line["t"], line["d"])
                except (ValueError, KeyError, TypeError):
                    log.warning("journal.torn_line", segment=path.name)

    async def flush_forever(self) -> None:
        """Bring what was written to the disk, for as long as the engine runs."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            if self._owed:
                self._write(b"")
            if self._dirty or self._closing:
                self._dirty = False
                done, self._closing = self._closing, []
                await asyncio.to_thread(_sync, [os.dup(self._handle), *done])

    def close(self) -> None:
        """What is owed is tried once more."""
        if self._handle >= 0:
            self._write(b"")
            _sync([*self._closing, self._handle])
            self._handle, self._closing = -1, []

    def _open_next(self) -> None:
        """The flush may be at work on the old segment in its thread: it is closed there, never under its hands."""
        path = self._directory / f"{self._number + 1:08d}.jsonl"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            if self._handle < 0:
                raise
            log.error("journal.no_new_segment", error=str(error))
            return
        if self._handle >= 0:
            self._closing.append(self._handle)
        self._number += 1
        self._handle, self._size = handle, 0


def _sync(handles: list[int]) -> None:
    """Bring files to the disk and close them; a disk that refuses must not end the flushing."""
    for handle in handles:
        try:
            os.fdatasync(handle)
        except OSError as error:
            log.error("journal.flush_failed", error=str(error))
        finally:
            os.close(handle)


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else 0


def _json(data: dict[str, Any]) -> bytes | None:
    """None for what orjson refuses: half a surrogate pair, whole numbers past 64 bits."""
    try:
        return orjson.dumps(data, default=str)
    except TypeError:
        return None


def _encode(line: Line, data: dict[str, Any] | orjson.Fragment) -> bytes:
    """Whatever text came in from outside is written: half a surrogate pair, which orjson refuses, as ``?``."""
    row = {"c": line.call, "n": line.seq, "k": line.kind, "t": line.at_us, "d": data}
    try:
        return orjson.dumps(row, default=str) + b"\n"
    except TypeError:
        return json.dumps(row, default=str, ensure_ascii=False).encode(errors="replace") + b"\n"
