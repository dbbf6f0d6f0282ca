"""A planned restart: no call is dropped, new ones ring all the same or go to another node (P1, P2)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from tests.live.stage import Scene
from tests.support.sip_call import CallState
from tests.support.waiting import in_time, until

pytestmark = [pytest.mark.trust(2), pytest.mark.covers("P1", "P2")]


@pytest.fixture
async def undrained(scene: Scene) -> AsyncIterator[Scene]:
    """Whatever a test does, the engine takes calls again afterwards."""
    yield scene
    scene.stack.engine.drain.end()


async def test_new_calls_ring_by_the_dialplan_while_those_that_are_up_go_on(undrained: Scene) -> None:
    scene, drain = undrained, undrained.stack.engine.drain
    rep, other = await scene.rep(), await scene.rep()
    theirs = await scene.outside().call(rep.did)
    ours = await rep.phone.incoming()
    await ours.answer()
    await theirs.until_answered()
    drain.begin(refuse=False)
    assert scene.stack.engine.ready()["ready"] is False and scene.stack.engine.ready()["reason"] == "draining"
    late = await scene.outside(tone=940).call(other.did)
    ring = await other.phone.incoming()
    await ring.answer()
    await late.until_answered()
    await asyncio.gather(late.until_hears(540), ring.until_hears(940), theirs.until_hears(540))
    assert drain.view()["calls"] == 1, "the new one is none of ours"
    await late.hang_up()
    await ring.until_ended()
    assert theirs.state is CallState.ANSWERED
    await theirs.hang_up()
    await ours.until_ended()
    logged = await scene.logged(other, within=8)
    assert (logged.row.source, logged.row.disposition) == ("fallback", "answered")
    drain.end()
    again = await scene.outside().call(other.did)
    await other.phone.incoming()
    await scene.live_call(other)
    await again.cancel()


async def test_where_another_node_takes_calls_they_are_refused_with_503_and_when_to_come_again(
    undrained: Scene,
) -> None:
    scene = undrained
    rep = await scene.rep()
    scene.stack.engine.drain.begin(refuse=True)
    call = await scene.outside().call(rep.did)
    await call.until_ended()
    assert call.final_status == 503 and call.ending is not None
    assert int(call.ending.header("Retry-After") or 0) > 0
    emergency = scene.outside(number="911")
    call = await rep.phone.call("911")
    ring = await emergency.incoming()
    await call.cancel()
    await ring.until_ended()


async def test_the_command_returns_when_the_last_call_has_ended(undrained: Scene) -> None:
    scene, config = undrained, undrained.stack.config
    rep = await scene.rep(role="admin")
    theirs = await scene.outside().call(rep.did)
    ours = await rep.phone.incoming()
    await ours.answer()
    await theirs.until_answered()
    environment = {**os.environ, "SWITCHHOOK_HOME": str(config.home), "SWITCHHOOK_HTTP_PORT": str(config.http_port)}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pbx.cli", "drain", "--wait"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await until(lambda: scene.stack.engine.drain.on, 8, "the engine to be drained")
    assert command.stderr is not None
    told = await in_time(command.stderr.readline(), 5)
    assert b"One call is left." in told and command.returncode is None
    await theirs.hang_up()
    await ours.until_ended()
    out, err = await in_time(command.communicate(), 8)
    assert command.returncode == 0, err
    assert scene.stack.engine.drain.on and out
    over = await asyncio.create_subprocess_exec(*(sys.executable, "-m", "pbx.cli", "drain", "off"), env=environment)
    assert await in_time(over.wait(), 8) == 0
    assert not scene.stack.engine.drain.on
