"""Calls at a steady rate for a long time, and what is left afterwards: ``python -m bench soak``.

What the engine and Asterisk hold (descriptors, threads, channels, tasks, memory) is counted after a first part, in
which pools and caches fill (the engine remembers its last calls), and again at the end, both times at rest.
``SWITCHHOOK_SOAK_MINUTES`` says for how long.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, at_most, shown
from bench.load import ENGINE, Times, percentile, run
from bench.stack import Stack, stack
from pbx.services.live_records import KEPT

RATE, PART_S = 5.0, 30.0
WARM_RATE, WARM_CALLS = 20.0, KEPT + 200
MINUTES = float(os.environ.get("SWITCHHOOK_SOAK_MINUTES", "15"))
AT_REST_WITHIN_S, IDLE_THREADS_END_S = 60.0, 65.0
MORE_DESCRIPTORS, MORE_THREADS, MORE_TASKS, MORE_MB = 4, 4, 2, 12.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a process has; ``tasks`` are of the engine's event loop."""

    descriptors: int
    threads: int
    memory_mb: float
    tasks: int = 0


def held(pid: int, tasks: int = 0) -> Held:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    memory_mb = int(status["VmRSS"].split()[0]) / 1024
    return Held(len(list((process / "fd").iterdir())), int(status["Threads"]), memory_mb, tasks)


async def _at_rest(over: Stack) -> tuple[Held, Held, int]:
    """Engine and Asterisk once nothing is left to do, and the channels that are there all the same."""
    end = time.monotonic() + AT_REST_WITHIN_S
    while time.monotonic() < end:
        ready = await asyncio.to_thread(over.ready)
        if not any(int(str(ready[name])) for name in ("calls", "journal_lag", "recordings_waiting")):
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(IDLE_THREADS_END_S)  # Asterisk's pools keep theirs for a minute
    words = (await over.asterisk.cli("core show channels count")).split()
    channels = int(words[0]) if words else 0
    return held(over.engine_pid, await asyncio.to_thread(_tasks, over)), held(over.asterisk.pid or 0), channels


def _tasks(over: Stack) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{over.config.http_port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("switchhook_event_loop_tasks "))))


async def _calls(over: Stack, directory: Path, count: float, rate: float) -> Times:
    times = Times()
    while times.calls < count:
        times.add(await run(over, directory, ENGINE, rate, PART_S))
    return times


async def figures() -> list[Figure]:
    async with stack() as over:
        with tempfile.TemporaryDirectory(prefix="switchhook-soak-") as directory:
            await _calls(over, Path(directory), WARM_CALLS, WARM_RATE)
            before = await _at_rest(over)
            times = await _calls(over, Path(directory), MINUTES * 60 * RATE, RATE)
            after = await _at_rest(over)
    return [
        shown("soak at 5/s: calls", times.calls, "calls"),
        at_most("soak at 5/s: calls neither taken nor refused", times.failed, "calls", 0),
        at_most("soak at 5/s: channels left behind", after[2], "channels", 0),
        shown("soak at 5/s: our post-dial delay, p99", percentile(times.post_dial, 0.99), "ms"),
        *_more("the engine", before[0], after[0]),
        *_more("Asterisk", before[1], after[1]),
    ]


def _more(whose: str, before: Held, after: Held) -> list[Figure]:
    at = f"soak at 5/s: {whose}:"
    found = [
        at_most(f"{at} more descriptors", after.descriptors - before.descriptors, "", MORE_DESCRIPTORS),
        at_most(f"{at} more threads", after.threads - before.threads, "", MORE_THREADS),
        shown(f"{at} memory before", before.memory_mb, "MB"),
        at_most(f"{at} more memory", after.memory_mb - before.memory_mb, "MB", MORE_MB),
    ]
    if before.tasks:
        found.append(at_most(f"{at} more tasks", after.tasks - before.tasks, "", MORE_TASKS))
    return found
