"""The live calls as values, kept on the disk step by step, so that an engine that comes after takes them over (P1).

One file of lines: for each step the call's id, the number of its last fact, the facts of the step, what the step wants
done, and the call as it is after it. A line is one write, made before the journal's and before anything goes out: it
is there whole, or the step never was. It need survive the engine's death, not the machine's, so nothing is flushed.
A line ``{"c": …}`` alone says that the call is over, ``{"t": …}`` when the file was begun. When the file has grown it
is written anew with what is live.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import OrderedDict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import orjson
import structlog

from pbx.adapters.store import dataclass_json
from pbx.core.call import Call
from pbx.core.commands import Command, Fact
from pbx.core.ids import CallId, Instant
from pbx.services.ports import Channels, Kept

log = structlog.get_logger("live_log")

LOCK = "live.lock"
LARGEST = 16 * 1024 * 1024
REMEMBERED = 20_000  # channels
_COMMANDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Command)}
_Facts = list[list[Any]]


class EngineRuns(Exception):
    """Another engine has these calls; the text is a sentence."""


@dataclass(slots=True)
class _Live:
    """What a call needs to be written anew: its facts so far, each as JSON, and its last line without them."""

    facts: list[bytes] = field(default_factory=list)
    rest: bytes = b""


class LiveLog:
    """One engine's: it is locked as long as the engine lives, unless a :class:`Turn` sees to there being one only."""

    def __init__(self, directory: Path, *, largest: int = LARGEST, locked: bool = True) -> None:
        """Raises EngineRuns where another engine works in this directory."""
        self._path = directory / "live.lines"
        self._lock = _locked(directory / LOCK) if locked else -1
        self._largest = largest
        self._live: dict[str, _Live] = {}
        self._handle = -1
        self._size = 0
        self._failed = False
        self.since = Instant(0)
        self._channels: OrderedDict[str, None] = OrderedDict()

    @property
    def channels(self) -> Container[str]:
        """Those that came to us since ``since``, also of calls that are over: all, or the last twenty thousand."""
        return self._channels

    # -- writing ------------------------------------------------------------------------------------

    def keep(
        self,
        call: Call,
        seq: int,
        channels: Channels,
        facts: Sequence[tuple[int, Fact]],
        todo: Sequence[Command],
        node: str = "",
    ) -> None:
        live = self._live.setdefault(call.id, _Live())
        fresh = [dataclass_json.dumps([n, fact.kind, fact.at, fact.data]) for n, fact in facts]
        live.facts += fresh
        self._came(channels)
        rest = {"c": call.id, "n": seq, "h": channels, "d": [[type(one).__name__, one] for one in todo], "s": call}
        live.rest = dataclass_json.dumps({**rest, "a": node} if node else rest)
        self._write(_line(fresh, live.rest))

    def drop(self, call: CallId) -> None:
        if self._live.pop(call, None) is not None:
            self._write(dataclass_json.dumps({"c": call}) + b"\n")

    def close(self) -> None:
        """The next engine may come."""
        for handle in (self._handle, self._lock):
            if handle >= 0:
                os.close(handle)
        self._handle = self._lock = -1

    def _write(self, line: bytes) -> None:
        """A full disk must not end a call; the next line begins behind what may be torn."""
        if self._handle < 0:
            return
        try:
            text = b"\n" + line if self._failed else line
            self._size += os.write(self._handle, text)
            self._failed = False
            if self._size > self._largest:
                self._begin_anew()
        except OSError as error:
            if not self._failed:
                log.error("live_log.write_failed", error=str(error), remedy="Make room on the engine's disk.")
            self._failed = True

    def _came(self, channels: Channels) -> None:
        for channel in channels.values():
            if channel not in self._channels:
                self._channels[channel] = None
        while len(self._channels) > REMEMBERED:
            self._channels.popitem(last=False)

    def _begin_anew(self) -> None:
        """With what is live alone; in its place at once, or not at all."""
        fresh = self._path.with_suffix(".new")
        text = dataclass_json.dumps({"t": time.time_ns() // 1000}) + b"\n"
        text += b"".join(_line(live.facts, live.rest) for live in self._live.values())
        fresh.write_bytes(text)
        fresh.rename(self._path)
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._size = len(text)
        self._largest = max(self._largest, 4 * self._size)

    # -- reading ------------------------------------------------------------------------------------

    def take_over(self) -> list[Kept]:
        """The calls that an earlier engine left, as they were after their last step; once, before anything is kept."""
        kept = list(self._left_behind())
        try:
            self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._begin_anew()
        except OSError as error:
            log.error("live_log.not_begun", error=str(error))
        return kept

    def _left_behind(self) -> Iterator[Kept]:
        last: dict[str, dict[str, Any]] = {}
        facts: dict[str, dict[int, list[Any]]] = {}
        for line in self._lines():
            call = line.get("c")
            if call is None:
                self.since = Instant(line["t"])
                continue
            self._came(line.get("h", {}))
            if "s" not in line:
                last.pop(call, None)
                facts.pop(call, None)
                continue
            last[call] = line
            facts.setdefault(call, {}).update({fact[0]: fact for fact in line["f"]})
        for call, line in last.items():
            try:
                numbered = [facts[call][n] for n in sorted(facts[call])]
                yield self._kept(line, numbered)
            except Exception:  # written by another version: its rows are closed, its channels let go
                log.exception("live_log.call_unreadable", call=call)

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return
        for raw in text.split(b"\n"):
            try:
                line = orjson.loads(raw)
                if "s" not in line or "f" in line:
                    yield line
            except (ValueError, TypeError):
                if raw:
                    log.warning("live_log.torn_line")

    def _kept(self, line: dict[str, Any], numbered: _Facts) -> Kept:
        call = dataclass_json.read(Call, line["s"])
        todo: list[Command] = [dataclass_json.read(_COMMANDS[name], command) for name, command in line["d"]]
        rest = {key: value for key, value in line.items() if key != "f"}
        self._live[call.id] = _Live([orjson.dumps(fact) for fact in numbered], orjson.dumps(rest))
        facts = [(n, Fact(kind, Instant(at), data)) for n, kind, at, data in numbered]
        fresh = [(n, fact) for n, fact in facts if n >= _first(line)]
        return Kept(call, line["n"], line["h"], facts, todo, fresh, line.get("a", ""))


def _first(line: dict[str, Any]) -> int:
    """The number of the first fact in the last line: those from there on may be missing in the journal."""
    return int(line["f"][0][0]) if line["f"] else int(line["n"]) + 1


def _line(facts: Sequence[bytes], rest: bytes) -> bytes:
    return rest[:-1] + b',"f":[' + b",".join(facts) + b"]}\n"


def wait_for_turn(directory: Path) -> None:
    """Return when no engine works in this directory."""
    os.close(_locked(directory / LOCK, wait=True))


def _locked(path: Path, *, wait: bool = False) -> int:
    """Let go by the kernel when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise EngineRuns(f"Another engine runs with {path.parent}. Two must never have the same calls.") from error
    return handle
