"""Emergency numbers pass in every state that is not as it should be, and somebody is told within seconds (TRUST 24)."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bench.figures import at_most
from pbx.services.alerts import Alert, Kind
from tests.live.stage import PROMPTS, Rep, Scene
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.trust import Measured
from tests.support.waiting import until


def taken(blocker: sqlite3.Connection) -> bool:
    with contextlib.suppress(sqlite3.OperationalError):
        blocker.execute("BEGIN EXCLUSIVE")
    return blocker.in_transaction


@contextlib.asynccontextmanager
async def database_locked(scene: Scene, rep: Rep) -> AsyncIterator[None]:
    blocker = sqlite3.connect(scene.stack.config.home / "switchhook.db", timeout=0, isolation_level=None)
    await until(lambda: taken(blocker), within=10, what="the database's lock")  # the engine writes in this very loop
    try:
        yield
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()


@contextlib.asynccontextmanager
async def caps_hit(scene: Scene, rep: Rep) -> AsyncIterator[None]:
    await scene.change(rep, max_concurrent=1, spend_cap_micros=0, may_call=False)
    async with scene.stack.setting("gate.max_concurrent_org", 1), scene.stack.setting("gate.spend_cap_org_micros", 0):
        yield


@contextlib.asynccontextmanager
async def lists_deny(scene: Scene, rep: Rep) -> AsyncIterator[None]:
    country = "CU"
    async with (
        scene.stack.setting("gate.allow_countries", [country]),
        scene.stack.setting("gate.deny_prefixes", [f"+{digit}" for digit in range(1, 10)]),
    ):
        yield


@contextlib.asynccontextmanager
async def overloaded(scene: Scene, rep: Rep) -> AsyncIterator[None]:
    admission = scene.stack.engine.nodes.one.admission
    lag, calls = admission._lag, admission._calls
    admission._lag, admission._calls = (lambda: 1.0), (lambda: 1)
    try:
        yield
    finally:
        admission._lag, admission._calls = lag, calls


@contextlib.asynccontextmanager
async def lines_busy(scene: Scene, rep: Rep) -> AsyncIterator[None]:
    """The only trunk carries as many calls as it may."""
    from crm.services import trunks

    other, there = await scene.rep(), scene.outside()
    trunk = scene.stack.trunk_id
    await scene.stack.change(lambda work: trunks.change(work, trunk, {"max_channels": 1}))
    call = await other.phone.call(there.number)
    await (await there.incoming()).answer()
    await call.until_answered()
    try:
        yield
    finally:
        await call.hang_up()
        await scene.stack.change(lambda work: trunks.change(work, trunk, {"max_channels": None}))


def emergencies(scene: Scene) -> list[Alert]:
    return [alert for alert in scene.stack.engine.alerts.standing if alert.kind is Kind.EMERGENCY_CALL]


def _more_than(scene: Scene, before: int) -> bool:
    return len(emergencies(scene)) > before


STATES = [database_locked, caps_hit, lists_deny, overloaded, lines_busy]
NUMBERS = [("JP", "110"), ("JP", "118"), ("JP", "119"), ("US", "911"), ("US", "112")]


@pytest.mark.trust(24)
@pytest.mark.covers("TRUST24", "P5")
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_emergency_numbers_pass_and_are_told(scene: Scene, state: object, measured: Measured):
    passed, slowest, before = 0, 0.0, len(emergencies(scene))
    for country, number in NUMBERS:
        rep, help_ = await scene.rep(country=country), scene.outside(number=number)
        async with state(scene, rep):  # type: ignore[operator]
            began = time.monotonic()
            call = await rep.phone.call(number)
            ring = await help_.incoming()
            await until(partial(_more_than, scene, before), 5, "the alert")
            slowest = max(slowest, time.monotonic() - began)
            assert ring.caller_number == rep.did
            await ring.answer()
            await call.until_answered()
            await call.until_hears(820)
            await call.hang_up()
            await ring.until_ended()
        alert, before = emergencies(scene)[-1], len(emergencies(scene))
        assert rep.user.name in alert.sentence and number in alert.sentence and rep.did in alert.sentence
        passed += 1
    words = state.__name__.replace("_", " ")  # type: ignore[attr-defined]
    measured(at_most(f"{words}: emergency calls not connected of {len(NUMBERS)}", len(NUMBERS) - passed, "calls", 0))
    measured(at_most(f"{words}: until somebody is told, slowest", slowest, "s", 5))


@pytest.mark.trust(24)
@pytest.mark.covers("TRUST24")
async def test_where_no_trunk_takes_an_emergency_call_the_caller_is_told_so(scene: Scene, measured: Measured):
    rep, help_ = await scene.rep(), scene.outside(number="911")
    help_.will_reject(503)
    began = time.monotonic()
    call = await rep.phone.call("911")
    await call.until_hears(PROMPTS["call-failed"], 6)
    measured(at_most("no trunk takes it: until the caller hears so", time.monotonic() - began, "s", 6))
    await call.until_ended()


@pytest.mark.trust(24)
@pytest.mark.covers("TRUST24", "P2")
async def test_while_the_engine_is_away_the_dialplan_connects_and_the_call_is_told_afterwards(
    broken: Scene, measured: Measured
):
    async with broken.stack.setting("emergency.caller_id", "+14155550100"):
        with_number, without = await broken.rep(), await broken.rep(number=False)
        help_ = broken.outside(number="911")
        await engine_dies(broken.stack)
        for rep, shown in ((with_number, with_number.did), (without, "+14155550100")):
            call = await rep.phone.call("911")
            ring = await help_.incoming()
            assert ring.caller_number == shown
            await ring.answer()
            await call.until_answered()
            await call.until_hears(820)
            await call.hang_up()
            await ring.until_ended()
        help_.will_reject(503)
        refused = await with_number.phone.call("911")
        await refused.until_answered()
        said = time.monotonic()
        await refused.until_ended(12)
        assert time.monotonic() - said > 2 and not refused.heard_silence_between(said + 0.5, said + 2)
        began = time.monotonic()
        await engine_comes_back(broken.stack)
        await until(lambda: len(emergencies(broken)) == 3, 8, "the alerts of what the dialplan did")
        measured(at_most("engine away: emergency calls neither connected nor refused in words", 0, "calls", 0))
        measured(at_most("engine back: until somebody is told", time.monotonic() - began, "s", 8))
        assert all("while the engine was away" in alert.sentence for alert in emergencies(broken))
