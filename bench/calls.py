"""Call setup and capacity, as differences and ratios to bare Asterisk in the same run.

A registered phone dials out through the gate, with recording, store, events and log on; bare is ``MixMonitor()`` and
``Dial()`` in the dialplan of the same Asterisk. Both are run in turn, so that a slow moment of the machine meets both.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, at_least, at_most, shown
from bench.load import BARE, BEFORE_S, ENGINE, Times, median, percentile, run
from bench.stack import Stack, stack

RATES = (20, 50, 100)
ROUNDS = 3
SECONDS = 8.0
AIM = 120
CAPACITY_STEPS = (30, 40, 50, 60, 70, 80, 100, 120, 140, 160, 180, 200)


async def setup(over: Stack, directory: Path) -> list[Figure]:
    """Post-dial and answer delay over bare, at each rate."""
    figures = []
    for rate in RATES:
        bare, ours = Times(), Times()
        for _ in range(ROUNDS):
            for times, prefix in ((bare, BARE), (ours, ENGINE)):
                times.add(await run(over, directory, prefix, rate, SECONDS))
        figures += _setup_figures(rate, bare, ours)
    return figures


def _setup_figures(rate: int, bare: Times, ours: Times) -> list[Figure]:
    at = f"setup at {rate}/s"
    post_dial = median(ours.post_dial) - median(bare.post_dial)
    answer = median(ours.answer) - median(bare.answer)
    p99 = percentile(ours.post_dial, 0.99) - percentile(bare.post_dial, 0.99)
    return [
        shown(f"{at}: bare post-dial delay, median", median(bare.post_dial), "ms"),
        shown(f"{at}: our post-dial delay, ratio to bare", median(ours.post_dial) / median(bare.post_dial), "x"),
        at_most(f"{at}: post-dial delay over bare, median", post_dial, "ms", 3),
        at_most(f"{at}: post-dial delay over bare, p99", p99, "ms", 15)
        if rate == 50
        else shown(f"{at}: post-dial delay over bare, p99", p99, "ms"),
        at_most(f"{at}: answer delay over bare, median", answer, "ms", 2),
        at_most(f"{at}: calls neither taken nor refused", ours.failed, "calls", 0),
        shown(f"{at}: calls refused as too many", ours.refused, "calls"),
        shown(f"{at}: Asterisk's processor time, bare", bare.asterisk_cpu_ms, "ms/call"),
        shown(f"{at}: Asterisk's processor time, ours", ours.asterisk_cpu_ms, "ms/call"),
        shown(f"{at}: the engine's processor time", ours.engine_cpu_ms, "ms/call"),
    ]


async def capacity(over: Stack, directory: Path) -> list[Figure]:
    """The highest clean rate, bare's and ours; then twice ours."""
    bare, ours = [await _highest(over, directory, prefix) for prefix in (BARE, ENGINE)]
    figures = [
        shown("capacity: bare's highest clean rate", bare, "calls/s"),
        at_least("capacity: highest clean rate", ours, "calls/s", AIM),
        shown("capacity: ratio to bare", ours / bare if bare else float("nan"), "x"),
    ]
    return figures + await _overload(over, directory, ours or CAPACITY_STEPS[0])


async def _highest(over: Stack, directory: Path, prefix: str) -> int:
    """Calls a second without a failure or a refusal, and with p99 under 100 ms."""
    highest = 0
    for rate in CAPACITY_STEPS:
        times = await run(over, directory, prefix, rate, SECONDS)
        await _drained(over)
        if times.failed or times.refused or not percentile(times.post_dial, 0.99) < 100:
            break
        highest = rate
    return highest


async def _overload(over: Stack, directory: Path, most: int) -> list[Figure]:
    """As many calls come as can be taken, and then twice as many: the engine refuses at once, and the calls that it
    takes still meet the figures. (Where they come out of nothing, the first fifty are taken as a burst and wait.)"""
    rate = 2 * most
    times = await run(over, directory, ENGINE, rate, SECONDS, from_rate=most)
    left = await _drained(over)
    sudden = await run(over, directory, ENGINE, rate, SECONDS)
    left += await _drained(over)
    at = f"overload at {rate}/s"
    return [
        shown(f"{at}: calls taken", len(times.answer) / (SECONDS + BEFORE_S), "calls/s"),
        shown(f"{at}: calls refused at once", times.refused / (SECONDS + BEFORE_S), "calls/s"),
        shown(f"{at}, out of nothing: post-dial delay of calls taken, p99", percentile(sudden.post_dial, 0.99), "ms"),
        at_most(f"{at}: calls neither taken nor refused", times.failed + sudden.failed, "calls", 0),
        at_most(f"{at}: post-dial delay of calls taken, p99", percentile(times.post_dial, 0.99), "ms", 100),
        at_most(f"{at}: refusal, p99", percentile(times.refusal, 0.99) if times.refusal else 0.0, "ms", 100),
        at_most(f"{at}: channels left behind", left, "channels", 0),
    ]


async def _drained(over: Stack, deadline_s: float = 20.0) -> int:
    """Wait for the last calls to end; gives the channels that are still there."""
    end = time.monotonic() + deadline_s
    while True:
        words = (await over.asterisk.cli("core show channels count")).split()
        left = int(words[0]) if words else 0
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(0.5)


async def _start() -> list[Figure]:
    """Both are started together, as the supervisor does."""
    waits, alls = [], []
    for _ in range(ROUNDS):
        async with stack(log_level="info") as over:
            waits.append(over.linked_s - over.up_s)
            alls.append(over.ready_s)
    return [
        at_most("engine: from Asterisk up to calls taken", median(waits), "s", 2),
        shown("engine: from the start of both to the web answering", median(alls), "s"),
    ]


async def capacity_alone() -> list[Figure]:
    async with stack() as over:
        with tempfile.TemporaryDirectory(prefix="switchhook-sipp-") as directory:
            await run(over, Path(directory), ENGINE, 20, 3)
            return await capacity(over, Path(directory))


async def figures() -> list[Figure]:
    began = await _start()
    async with stack() as over:
        with tempfile.TemporaryDirectory(prefix="switchhook-sipp-") as directory:
            await run(over, Path(directory), ENGINE, 20, 3)  # warm: the first calls load code and prepare statements
            return [*began, *await setup(over, Path(directory)), *await capacity(over, Path(directory))]
