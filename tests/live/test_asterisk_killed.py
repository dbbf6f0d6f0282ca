"""Asterisk is killed under 50 recorded calls: it is there again in 5 s, and what was recorded is kept (P3, TRUST 3)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench.figures import at_most
from pbx.services.alerts import Kind
from pbx.supervisor.supervise import Supervisor
from tests.live.stage import Rep, Scene, Stack
from tests.support.sip_call import Call
from tests.support.tones import tone_spans
from tests.support.trust import Measured
from tests.support.waiting import Stopwatch, until

REPS, CALLS_EACH = 5, 10
AGAIN_WITHIN_S, MOST_LOST_MS = 5.0, 1000


@pytest.fixture
async def watched(broken: Scene) -> AsyncIterator[Scene]:
    """The stage's Asterisk is started again when it ends, by what does so outside of tests."""
    supervisor = Supervisor(broken.stack.config, broken.stack.asterisk.prefix, print, practice=False)
    supervisor.asterisk = broken.stack.asterisk
    watching = asyncio.ensure_future(supervisor._watch(broken.stack.asterisk))
    yield broken
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def answered_call(scene: Scene, rep: Rep) -> Call:
    """Only the customer speaks: a hundred voices would be more than this process has breath for."""
    customer = scene.outside(tone=820)
    customer.will_answer()
    ours = await rep.phone.call(customer.number, tone=None)
    await ours.until_answered(within=10)
    ours.rtp.sending = False
    return ours


async def calls_again(scene: Scene, rep: Rep) -> float:
    """How long after now a call from outside rings a phone: whoever meets nobody tries again."""
    watch = Stopwatch()
    rep.phone.will_answer()
    while watch.granted < 4 * AGAIN_WITHIN_S:
        call = await scene.outside(tone=None).call(rep.did)
        try:
            await asyncio.wait_for(call.until_answered(), 0.7)
        except (AssertionError, TimeoutError):
            call.finish(by_us=True)
            continue
        took = watch.passed
        await call.hang_up()
        return took
    raise AssertionError("no call comes through")


async def finished(stack: Stack, call_id: str) -> Any:
    row, sound = await stack.recorded(call_id, within=30)
    return row, sound


@pytest.mark.alone
@pytest.mark.trust(3)
@pytest.mark.covers("TRUST3", "P3", "V10")
@pytest.mark.timeout(180)
async def test_recorded_calls_lose_a_second_at_most_and_calls_are_taken_again_in_five(
    watched: Scene, measured: Measured
) -> None:
    scene, stack, each = watched, watched.stack, CALLS_EACH
    reps = [await scene.rep() for _ in range(REPS)]
    called = await scene.rep()
    for _ in range(each):
        await asyncio.gather(*(answered_call(scene, rep) for rep in reps))
    up = [call.id for call in stack.engine.calls]
    assert len(up) == REPS * each
    await asyncio.sleep(3)
    assert stack.asterisk.pid is not None
    died_at_us = stack.engine.clock.now()
    os.kill(stack.asterisk.pid, signal.SIGKILL)
    watch = Stopwatch()
    took = await calls_again(scene, called)
    await until(lambda: not any(stack.engine.calls.get(call) for call in up), 5, "the calls to be closed")
    await stack.engine.projector.flush()
    lost_ms, silent_ms, late_ms = [], [], []
    otherwise = 0
    for call_id in up:
        row, sound = await finished(stack, call_id)
        logged = await stack.show(call_id)
        otherwise += (logged.row.disposition, logged.row.reason) != ("interrupted", "switch_restarted")
        late_ms.append((logged.row.ended_us - died_at_us) / 1000)
        assert all(abs(leg.ended_us - logged.row.ended_us) < 1000 for leg in logged.legs)
        lost_ms.append(logged.row.talk_ms - row.duration_ms)
        silent_ms.append((sound.seconds - tone_spans(sound.channel(0), 820, sound.rate)[-1].end) * 1000)
    figures = f"calls again {took:.1f} s, lost {max(lost_ms)} ms, closed {max(late_ms):.0f} ms after"
    print(figures)
    assert max(lost_ms) <= MOST_LOST_MS and max(silent_ms) < 250, figures
    assert min(late_ms) > -50 and max(late_ms) < 500 * watch.slowness, figures
    measured(at_most(f"rows of {len(up)} that are not closed as interrupted", otherwise, "rows", 0))
    measured(at_most(f"sound lost, of {len(up)} recordings the worst", max(lost_ms) / 1000, "s", 1))
    measured(at_most("calls taken again after", took, "s", AGAIN_WITHIN_S))
    (told,) = [alert for alert in stack.engine.alerts.standing if alert.kind is Kind.ASTERISK_RESTARTED]
    assert told.data["interrupted"] == len(up)
