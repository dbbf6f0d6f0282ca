"""The calls that the dialplan handled while the engine was away, from ``fallback.log`` (P3).

Lines, as ``dialplans/fallback.conf`` writes them, one JSON object of Asterisk's logger around each:
``begin|channel|epoch|in or out|endpoint|called|caller``, ``answer|channel|epoch|endpoint``,
``end|channel|epoch|result|cause``. ``channel`` is Asterisk's unique id (start time and counter), so reading
twice gives the same calls. A call that our module refused before it had a channel is one line,
``shed|name|epoch|in or out|endpoint|called|caller``; its name is as unique.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
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


def read_fallback_log(folder: Path) -> list[FallbackCall]:
    """All calls in the log and its rotated predecessors, oldest first. A damaged line is passed over."""
    older = sorted(folder.glob("fallback.log.*"), key=lambda path: path.suffix, reverse=True)
    files = [*older, folder / "fallback.log"]
    return collect(message for path in files if path.exists() for message in _messages(path))


def collect(messages: Iterable[str]) -> list[FallbackCall]:
    """Put the lines of each call together."""
    calls: dict[str, FallbackCall] = {}
    for message in messages:
        fields = message.strip().split("|")
        try:
            _note(calls, fields)
        except (IndexError, ValueError):
            continue
    return list(calls.values())


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


def _messages(path: Path) -> Iterator[str]:
    with path.open(errors="replace") as file:
        for line in file:
            try:
                yield str(json.loads(line)["logmsg"]["message"])
            except (ValueError, KeyError, TypeError):
                continue
