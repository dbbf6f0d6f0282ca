"""The calls that the dialplan handled while the engine was away, from ``fallback.log`` (P3).

Lines, as ``dialplans/fallback.conf`` writes them, one JSON object of Asterisk's logger around each:
``begin|channel|epoch|in or out|endpoint|called|caller``, ``answer|channel|epoch|endpoint``,
``end|channel|epoch|result|cause``. ``channel`` is Asterisk's unique id (start time and counter), so reading
twice gives the same calls. A call that our module refused before it had a channel is one line,
``shed|name|epoch|in or out|endpoint|called|caller``; its name is as unique.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

CONGESTION = 42  # Q.850


@dataclass(frozen=True, slots=True)
class FallbackCall:
    """Times are seconds since the epoch. ``ended_at_s`` is None while it runs, and for ever if Asterisk was killed.

    ``called`` begins with ``!`` where it was no number; ``result`` is Dial's status or empty where nothing was dialled.
    """

    channel: str
    direction: Literal["in", "out"]
    endpoint: str
    called: str
    caller: str
    began_at_s: int
    answered_at_s: int | None = None
    answered_by: str = ""
    ended_at_s: int | None = None
    result: str = ""
    cause: int | None = None


class FallbackLog:
    """Reads on from where it stopped: an hour of a rush writes hundreds of thousands of lines.

    For one reader at a time. ``fresh`` gives the calls of which a line was added since it was asked before (at first:
    all), and those that still go on, oldest first. A damaged line is passed over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Bytes of each file. A log that is rotated changes its name; of one that was let go, a new one has the inode.
        self._read: dict[tuple[int, bytes], int] = {}
        self._going_on: dict[str, FallbackCall] = {}

    def fresh(self) -> list[FallbackCall]:
        calls = self._going_on
        for message in self._messages():
            fields = message.strip().split("|")
            try:
                _note(calls, fields)
            except (IndexError, ValueError):
                continue
        self._going_on = {channel: call for channel, call in calls.items() if call.ended_at_s is None}
        return list(calls.values())

    def _messages(self) -> Iterator[str]:
        older = sorted(self._folder.glob("fallback.log.*"), key=lambda path: path.suffix, reverse=True)
        for path in (*older, self._folder / "fallback.log"):
            for line in self._added(path):
                try:
                    yield str(json.loads(line)["logmsg"]["message"])
                except (ValueError, KeyError, TypeError):
                    continue

    def _added(self, path: Path) -> Iterator[bytes]:
        """Whole lines; one that is being written is read when it is whole, a file that is being renamed the next time,
        and none is read where no call has been without us yet."""
        try:
            opened = path.open("rb")
        except FileNotFoundError:
            return
        with opened as file:
            known_by = (os.fstat(file.fileno()).st_ino, file.readline())
            at = self._read.get(known_by, 0)
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                at += len(line)
                yield line
        if known_by[1].endswith(b"\n"):
            self._read[known_by] = at


def _note(calls: dict[str, FallbackCall], fields: list[str]) -> None:
    kind, channel, at = fields[0], fields[1], int(fields[2])
    if kind in ("begin", "shed"):
        direction: Literal["in", "out"] = "out" if fields[3] == "out" else "in"
        call = FallbackCall(channel, direction, fields[4], fields[5], fields[6], at)
        calls[channel] = call if kind == "begin" else replace(call, ended_at_s=at, result="SHED", cause=CONGESTION)
    elif channel in calls and kind == "answer":
        calls[channel] = replace(calls[channel], answered_at_s=at, answered_by=fields[3])
    elif channel in calls and kind == "end":
        cause = int(fields[4]) if fields[4] else None
        calls[channel] = replace(calls[channel], ended_at_s=at, result=fields[3], cause=cause)
