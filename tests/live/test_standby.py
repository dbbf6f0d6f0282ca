"""A second engine on another machine stands by: on one PostgreSQL exactly one of them has the calls (P1, A8).

Here both are on this machine, with one home and a port of their own for the web, as two machines have.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pbx import bootstrap
from pbx.adapters.asterisk import embedded
from pbx.config import Config
from pbx.serving import TURN_LOST
from pbx.supervisor.health import ready
from tests.live.stage import Scene, close_stack, open_stack
from tests.support import postgres
from tests.support.free_ports import free_port
from tests.support.house import ROOT
from tests.support.waiting import Deadline, Missed, Stopwatch, until

pytestmark = [pytest.mark.covers("P1", "A8"), pytest.mark.timeout(240)]
CALLS_WITHIN_S = 3.0


class Machine:
    """One that runs an engine of the shared home."""

    def __init__(self, config: Config, name: str) -> None:
        self.config = replace(config, http_port=free_port())
        self.log = config.home / "log" / f"{name}.log"
        self.process: asyncio.subprocess.Process | None = None

    async def serve(self, *options: str) -> None:
        config, ports = self.config, ("http_port", "sip_port", "sip_tls_port", "ari_port", "ami_port")
        environment = {f"SWITCHHOOK_{name.upper()}": str(getattr(config, name)) for name in ports}
        environment |= {"SWITCHHOOK_DATABASE_URL": config.database_url, "SWITCHHOOK_SIP_HOST": config.sip_host}
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pbx.cli", "--home", str(config.home), "serve", *options),
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    async def until_ready(self, within: float = 20) -> None:
        """It takes calls."""
        deadline = Deadline(within)
        while not ((await asyncio.to_thread(ready, self.config)) or {}).get("ready"):
            if deadline.over:
                raise Missed(f"the engine took no calls: {self.said()[-2000:]}")
            await asyncio.sleep(0.02)

    async def until_it_stands_by(self) -> None:
        await until(lambda: "engine.stands_by" in self.said(), 20, "the engine to stand by")
        await asyncio.sleep(1)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, within: float = 5) -> int:
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), within)

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.send(signal.SIGKILL)
            await self.process.wait()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
async def cluster() -> AsyncIterator[postgres.Cluster]:
    try:
        found = await asyncio.to_thread(postgres.start)
    except postgres.NoPostgres as error:
        pytest.skip(str(error))
    yield found
    await asyncio.to_thread(found.stop)


@pytest.fixture
async def scene(tmp_path: Path, cluster: postgres.Cluster) -> AsyncIterator[Scene]:
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    stack = await open_stack(tmp_path / "home", prefix, database_url=cluster.create_database("live"))
    opened = Scene(stack)
    try:
        yield opened
        await opened.close()
    finally:
        await close_stack(stack)


@pytest.fixture
async def machines(scene: Scene) -> AsyncIterator[list[Machine]]:
    """Three, in place of the stage's own engine, which takes over again at the end."""
    stack = scene.stack
    found = [Machine(stack.config, name) for name in ("one", "two", "three")]
    yield found
    for machine in found:
        await machine.stop()
    stack.engine = await bootstrap.open_engine(stack.config)
    await stack.engine.start()
    await stack.engine.until_linked()


async def test_the_calls_of_an_engine_that_dies_are_the_others_within_three_seconds(
    scene: Scene, machines: list[Machine]
) -> None:
    rep, colleague, customer, (one, two, _) = await scene.rep(), await scene.rep(), scene.outside(), machines
    await scene.stack.engine.stop()
    await one.serve()
    await one.until_ready()
    await two.serve("--standby")
    await two.until_it_stands_by()
    rep.phone.will_answer()
    theirs = await customer.call(rep.did)
    ours = await rep.phone.incoming()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    assert two.process is not None and two.process.returncode is None and "engine.takes_over" not in two.said()
    one.send(signal.SIGKILL)
    watch = Stopwatch()
    await two.until_ready()
    assert watch.granted < CALLS_WITHIN_S, f"{watch.passed:.2f} s"
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    second = await scene.outside().call(colleague.did)
    ring = await colleague.phone.incoming()
    await second.cancel()
    await ring.until_ended()
    await theirs.hang_up()
    await ours.until_ended()
    logged = await scene.logged(rep, within=8, disposition="answered")
    assert logged.row.source == "engine"


async def test_an_engine_that_was_cut_off_ends_when_it_finds_another_in_its_place(
    scene: Scene, machines: list[Machine], cluster: postgres.Cluster
) -> None:
    """It stands still here while the server ends its session, as its machine would be for the others."""
    rep, (one, two, three) = await scene.rep(), machines
    await scene.stack.engine.stop()
    await one.serve()
    await one.until_ready()
    await two.serve("--standby")
    await two.until_it_stands_by()
    await three.serve()
    assert await three.ended(20) == 1 and "Start this one with --standby" in three.said()
    one.send(signal.SIGSTOP)
    await asyncio.to_thread(
        cluster.run,
        "live",
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND application_name = 'switchhook-turn'",
    )
    await two.until_ready()
    one.send(signal.SIGCONT)
    assert await one.ended() == TURN_LOST
    call = await scene.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await call.cancel()
    await ring.until_ended()
