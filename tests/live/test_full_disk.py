"""The disk fills up under recorded calls: they go on, somebody is told, and no recording lies (V10, TRUST 6)."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.figures import at_most
from pbx.adapters.asterisk import embedded
from pbx.config import Config
from pbx.services.alerts import Kind
from pbx.services.disk_guard import Room
from tests.live.stage import Rep, Scene, close_stack, facts, open_stack
from tests.support.sip_call import Call, CallState
from tests.support.tones import tones_in
from tests.support.trust import Measured
from tests.support.waiting import until

pytestmark = [pytest.mark.trust(6), pytest.mark.covers("TRUST6")]
SECOND_BYTES = 16_000  # of one side of a recording


def kinds(scene: Scene) -> list[Kind]:
    return [alert.kind for alert in scene.stack.engine.alerts.standing]


async def talk(scene: Scene, rep: Rep) -> tuple[Call, Call, str]:
    """A call from outside in which both hear each other: the customer's side, ours, and its id."""
    theirs = await scene.outside().call(rep.did)
    ours = await rep.phone.incoming()
    await ours.answer()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    return theirs, ours, await scene.live_call(rep)


async def test_below_the_least_room_no_recording_is_begun_and_above_it_they_begin_again(scene: Scene) -> None:
    rep, stack = await scene.rep(), scene.stack
    too_much = (await stack.engine.disk_guard.look()).free_bytes // 1_000_000 + 100_000
    async with stack.setting("recording.lowest_free_mb", too_much):
        await until(lambda: Kind.DISK_LOW in kinds(scene), 5, "the alert")
        theirs, ours, call_id = await talk(scene, rep)
        await theirs.hang_up()
        await ours.until_ended()
        logged = await scene.logged(rep)
        assert logged.recordings == [] and logged.row.recording_state == "not_started"
        assert facts(logged, "recording.not_started") == [{"reason": "disk_low"}]
        assert stack.engine.ready()["recording_withheld"] is True
    await until(lambda: Kind.DISK_LOW not in kinds(scene), 5, "the end of the alert")
    theirs, ours, call_id = await talk(scene, rep)
    await theirs.hang_up()
    await ours.until_ended()
    await stack.recorded(call_id)


async def test_what_a_limit_cuts_off_is_called_incomplete_and_holds_what_was_written(broken: Scene) -> None:
    """Without a disk of its own: the kernel lets Asterisk's files grow no further, as a quota does."""
    scene = broken
    rep, pid = await scene.rep(), scene.stack.asterisk.pid
    assert pid is not None
    theirs, ours, call_id = await talk(scene, rep)
    await asyncio.sleep(1)
    raw = next(scene.stack.config.spool.glob("rec_*.sln"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (raw.stat().st_size + SECOND_BYTES // 2, resource.RLIM_INFINITY))
    guard = scene.stack.engine.disk_guard
    look, guard._look = guard._look, lambda: Room("the spool", 0, writable=False)
    await until(lambda: Kind.DISK_FULL in kinds(scene), 5, "the alert")
    await asyncio.sleep(2)
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    guard._look = look
    await theirs.hang_up()
    await ours.until_ended()
    row, sound = await scene.stack.recorded(call_id, state="incomplete")
    assert 1 < sound.seconds < 3 and tones_in(sound.channel(0), [540, 820], sound.rate) == {820}
    assert "of the call" in row.problem


# -- with a real disk, small and full ---------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"A disk can be made by root only: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
async def cramped(small_disk: Path) -> AsyncIterator[Scene]:
    """All that the engine and Asterisk write is on one small disk."""
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    stack = await open_stack(small_disk / "home", prefix)
    opened = Scene(stack)
    try:
        async with stack.setting("recording.lowest_free_mb", 2):
            yield opened
            await opened.close()
    finally:
        await close_stack(stack)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(b"\1" * 4096):
            pass
    return ballast


async def test_a_disk_that_fills_up_stops_no_call_and_no_recording_is_called_whole(
    cramped: Scene, small_disk: Path, measured: Measured
) -> None:
    scene = cramped
    rep, other = await scene.rep(), await scene.rep()
    await until(lambda: kinds(scene) == [], 5, "recordings to begin")
    theirs, ours, call_id = await talk(scene, rep)
    await asyncio.sleep(2.5)  # Asterisk may keep the last two seconds to itself
    ballast = fill(small_disk)
    filled = time.monotonic()
    await until(lambda: Kind.DISK_FULL in kinds(scene), 5, "the alert")
    measured(at_most("alert after", time.monotonic() - filled, "s", 5))
    assert b'switchhook_alerts{kind="disk_full"} 1.0' in scene.stack.engine.metrics.text()
    fill(small_disk)  # what was freed meanwhile is taken, too
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    second, of_other, second_id = await talk(scene, other)  # a new call is taken
    await theirs.hang_up()
    await ours.until_ended()
    assert second.state is CallState.ANSWERED
    assert scene.stack.engine.records.get(call_id).call["recording_state"] == "processing"  # type: ignore[union-attr]
    ballast.unlink()
    await until(lambda: kinds(scene) == [], 6, "the end of the alert")
    row, sound = await scene.stack.recorded(call_id, state="incomplete", within=10)
    assert sound.seconds > 1 and 820 in tones_in(sound.channel(0), [540, 820], sound.rate)
    assert row.sha256 and "of the call" in row.problem
    measured(at_most("recordings called whole that are not", int(row.state == "ready"), "recordings", 0))
    await second.hang_up()
    await of_other.until_ended()
    assert facts(await scene.logged(other), "recording.not_started") == [{"reason": "disk_full"}]
    assert (await scene.stack.show(second_id)).row.disposition == "answered"
    theirs, ours, call_id = await talk(scene, rep)
    await theirs.hang_up()
    await ours.until_ended()
    await scene.stack.recorded(call_id)
