"""The database is locked or away under a stream of calls: none is refused, and each is in the log once (TRUST 5).

How long is 8 s, or what SWITCHHOOK_OUTAGE_S says; the scoreboard's figure is 30.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.figures import at_most
from crm.repositories.calls import CallFilter
from crm.services import calls as call_log
from crm.services import tokens
from pbx.adapters.asterisk import embedded
from pbx.config import Config
from pbx.services.alerts import Kind
from tests.live.stage import Rep, Scene, Stack, close_stack, open_stack
from tests.support import postgres
from tests.support.trust import Measured
from tests.support.waiting import in_time, until

pytestmark = [pytest.mark.trust(5), pytest.mark.covers("TRUST5", "P3")]
OUTAGE_S = float(os.environ.get("SWITCHHOOK_OUTAGE_S", "8"))
CALLS_PER_S = 5
REPS = 8
_LOCKER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""
ASKED = (
    ("GET", "/api/v1/calls", None),
    ("GET", "/api/v1/users", None),
    ("GET", "/api/v1/search?q=ann", None),
    ("POST", "/api/v1/leads", {"name": "Ann"}),
    ("PUT", "/api/v1/settings/voicemail.max_s", {"value": 60}),
    ("POST", "/api/v1/session", {"email": "nobody@demo.example", "password": "wrong horse battery"}),
    ("GET", "/readyz", None),
)

Outage = Callable[[], Any]


async def _prefix() -> Path:
    config = Config.load()
    return await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)


@asynccontextmanager
async def _locked(stack: Stack) -> AsyncIterator[None]:
    """Another process holds the file's only lock for writing."""
    locker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _LOCKER, str(stack.config.home / "switchhook.db")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert locker.stdout is not None
    assert await in_time(locker.stdout.readline(), 10)
    try:
        yield
    finally:
        locker.kill()
        await locker.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Scene, Outage]]:
    """A stack on each database, and the way to take that database away for a while."""
    cluster = None
    overrides = {}
    if request.param == "postgresql":
        try:
            cluster = await asyncio.to_thread(postgres.start)
        except postgres.NoPostgres as error:
            pytest.skip(str(error))
        overrides["database_url"] = cluster.create_database("live")
    stack = await open_stack(tmp_path / "home", await _prefix(), **overrides)

    @asynccontextmanager
    async def stopped() -> AsyncIterator[None]:
        assert cluster is not None
        await asyncio.to_thread(cluster.halt)
        try:
            yield
        finally:
            await asyncio.to_thread(cluster.resume)

    opened = Scene(stack)
    try:
        yield opened, stopped if cluster else lambda: _locked(stack)
        await opened.close()
    finally:
        await close_stack(stack)
        if cluster is not None:
            await asyncio.to_thread(cluster.stop)


async def one_call(scene: Scene, rep: Rep) -> None:
    call = await scene.outside(tone=None).call(rep.did)
    await call.until_answered(within=4)
    await call.hang_up()


async def calls_go_on(scene: Scene, reps: list[Rep], seconds: float) -> int:
    """So many calls a second from outside, each answered and ended; how many there were."""
    began, running = time.monotonic(), []
    while (at := len(running) / CALLS_PER_S) < seconds:
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        running.append(asyncio.ensure_future(one_call(scene, reps[len(running) % len(reps)])))
    await asyncio.gather(*running)
    return len(running)


async def people_ask(stack: Stack, token: str, seconds: float) -> Counter[int]:
    """What everything that needs the database answers meanwhile, by status."""
    base, told, end = f"http://127.0.0.1:{stack.config.http_port}", Counter[int](), time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(20)) as http:

        async def ask(method: str, path: str, body: Any) -> int:
            async with http.request(method, path, json=body, headers=headers) as answer:
                return answer.status

        while time.monotonic() < end:
            told.update(await asyncio.gather(*(ask(*asked) for asked in ASKED)))
            await asyncio.sleep(0.5)
    return told


async def test_calls_go_on_and_are_all_in_the_log_once_when_the_database_is_back(
    stage: tuple[Scene, Outage], measured: Measured
) -> None:
    scene, outage = stage
    stack = scene.stack
    reps = [await scene.rep(recording_policy="off", role="admin" if n == 0 else "rep") for n in range(REPS)]
    for rep in reps:
        rep.phone.will_answer()
    made = await stack.change(
        lambda work: tokens.add(work, reps[0].id, {"name": "test", "scopes": sorted(tokens.SCOPES)})
    )
    assert await people_ask(stack, made.secret, 0.1)
    async with outage():
        count, told = await asyncio.gather(calls_go_on(scene, reps, OUTAGE_S), people_ask(stack, made.secret, OUTAGE_S))
        assert Kind.STORE_AWAY in [alert.kind for alert in stack.engine.alerts.standing]
        assert stack.engine.projector.lag > 0
        assert any(path.stat().st_size for path in stack.engine.journal.segments())
    assert count == OUTAGE_S * CALLS_PER_S and told[503], told
    measured(at_most(f"answers with 500 in {OUTAGE_S} s without the database", told[500], "answers", 0))
    await until(lambda: stack.engine.projector.lag == 0, 15, "the rows to be written")
    await until(lambda: not stack.engine.alerts.standing, 8, "the end of the alert")
    measured(at_most(f"of {count} calls refused, lost or doubled", count - await logged_once(stack, count), "calls", 0))


async def logged_once(stack: Stack, count: int) -> int:
    """Gives the number of calls that were answered; more or others than there were are none of them."""
    async with stack.engine.store.read() as session:
        page = await call_log.list_all(session, CallFilter(), limit=500)
        assert Counter(call.disposition for call in page.items) == {"answered": count}
        for call in page.items[:: max(1, count // 10)]:
            detail = await call_log.show(session, call.id)
            kinds = [event.kind for event in detail.events]
            assert kinds.count("call.created") == kinds.count("call.ended") == 1 and len(detail.legs) == 2
        return len(page.items)
