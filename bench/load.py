"""SIPp on both sides: one run of calls at a rate, timed by what went over the wire."""

from __future__ import annotations

import asyncio
import csv
import shutil
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.capture import Capture, Moments
from bench.stack import Stack
from tests.support.free_ports import free_port

SCENARIOS = Path(__file__).parent.parent / "tests" / "scenarios"
ANSWER_AFTER_MS = 200
TALK_MS = 1500
BEFORE_S = 2
BARE, ENGINE = "+7777", "+1206555"


@dataclass(slots=True)
class Times:
    """Milliseconds. ``refused`` were answered at once with a refusal, ``failed`` were neither taken nor refused."""

    post_dial: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    refusal: list[float] = field(default_factory=list)
    calls: int = 0
    failed: int = 0
    refused: int = 0
    asterisk_cpu_ms: float = 0.0
    engine_cpu_ms: float = 0.0

    def add(self, other: Times) -> None:
        self.post_dial += other.post_dial
        self.answer += other.answer
        self.refusal += other.refusal
        total = max(1, self.calls + other.calls)
        for name in ("asterisk_cpu_ms", "engine_cpu_ms"):
            mean = (getattr(self, name) * self.calls + getattr(other, name) * other.calls) / total
            setattr(self, name, mean)
        self.calls += other.calls
        self.failed += other.failed
        self.refused += other.refused


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies; nan for none."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def program() -> str:
    """Where SIPp is."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise RuntimeError("SIPp is missing. Install it: apt-get install sip-tester")
    return sipp


async def run(
    stack: Stack, directory: Path, prefix: str, rate: float, seconds: float, *, from_rate: float = 0.0
) -> Times:
    """Dial numbers at a steady rate from a phone of ours to a far end that rings at once and answers 200 ms later.
    ``from_rate`` is another rate, at which it dials for :data:`BEFORE_S` before; these calls count as well."""
    sipp = program()
    calls = max(1, int(rate * seconds + from_rate * BEFORE_S))
    numbers = directory / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"{prefix}{at % 10000:04d};\n" for at in range(calls)))
    phone_port = free_port()
    far_end = await start(
        *(sipp, "-sf", SCENARIOS / "uas_answers.xml", "-p", stack.carrier_port, "-d", ANSWER_AFTER_MS),
        *("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1"),
        directory=directory,
    )
    path = directory / f"calls-{time.monotonic_ns()}.pcap"
    try:
        async with Capture(path, phone_port, stack.carrier_port) as capture:
            before = stack.cpu_s()
            phone = await start(
                *(sipp, "-sf", SCENARIOS / "uac_phone.xml", "-inf", numbers, "-p", phone_port),
                *("-au", stack.device, "-ap", stack.secret, "-key", "device", stack.device),
                *_pace(rate, from_rate),
                *("-m", calls, "-l", 20000, "-d", TALK_MS, "-trace_stat", "-fd", 1),
                *("-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-timeout", int(seconds + 40)),
                f"127.0.0.1:{stack.config.sip_port}",
                directory=directory,
            )
            await asyncio.wait_for(phone.wait(), seconds + 60)
            after = stack.cpu_s()
    finally:
        far_end.kill()
        await far_end.wait()
    times = _times(list(capture.calls().values()), calls)
    times.failed = max(times.failed, failed(directory, phone.pid))
    times.asterisk_cpu_ms = (after[0] - before[0]) * 1000 / calls
    times.engine_cpu_ms = (after[1] - before[1]) * 1000 / calls
    path.unlink()
    return times


def _pace(rate: float, from_rate: float) -> tuple[object, ...]:
    if not from_rate:
        return ("-r", rate)
    step = ("-rate_increase", rate - from_rate, "-rate_interval", BEFORE_S, "-rate_max", rate, "-no_rate_quit")
    return ("-r", from_rate, *step)


async def start(*command: object, directory: Path) -> asyncio.subprocess.Process:
    sink = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*map(str, command), cwd=directory, stdout=sink, stderr=sink)


def _times(seen: list[Moments], calls: int) -> Times:
    times = Times(calls=calls)
    for moments in seen:
        if moments.refused is not None:
            times.refused += 1
            if moments.invited is not None:
                times.refusal.append((moments.refused - moments.invited) * 1000)
        elif moments.post_dial_ms is not None and moments.answer_ms is not None:
            times.post_dial.append(moments.post_dial_ms)
            times.answer.append(moments.answer_ms)
    times.failed = calls - times.refused - len(times.answer)
    return times


def failed(directory: Path, pid: int) -> int:
    """What SIPp itself counts as failed: also a call that was cut off later."""
    failed = 0
    for path in directory.glob(f"*_{pid}_.csv"):
        rows = list(csv.DictReader(path.read_text().splitlines(), delimiter=";"))
        failed = int(rows[-1]["FailedCall(C)"]) if rows else 0
        path.unlink()
    return failed
