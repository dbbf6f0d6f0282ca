"""All of it together: phones and a carrier behind the edge, two nodes, one engine (A8)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pbx.adapters import kamailio
from pbx.adapters.asterisk import embedded
from pbx.config import Config, ConfigError
from tests.live.edge_stage import start_edge, stop_edge
from tests.live.node_stage import EDGE, NodeStack, close_nodes, open_nodes
from tests.live.stage import Scene
from tests.support.waiting import until

pytestmark = pytest.mark.covers("A8")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    try:
        kamailio.program()
    except ConfigError as error:
        pytest.skip(str(error))
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    stack = await open_nodes(tmp_path / "home", prefix, edge=EDGE)
    edge = start_edge(stack.config)
    opened = Scene(stack)
    try:
        await until(lambda: _listens(stack), 10, "the edge to listen", every=0.05)
        yield opened
        await opened.close()
    finally:
        await asyncio.to_thread(stop_edge, edge)
        await close_nodes(stack)


def _listens(stack: NodeStack) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((EDGE, stack.config.sip_tls_port)) == 0


async def test_whichever_node_has_the_number_and_whichever_the_phone_they_hear_each_other(stage: Scene):
    stack = stage.stack
    assert isinstance(stack, NodeStack)
    met: set[bool] = set()
    for _ in range(12):
        rep = await stage.rep(at=(EDGE, stack.config.sip_port))
        customer = stage.outside()
        theirs = await stack.carrier.phone.call(rep.did, caller=customer.number, tone=820)
        ours = await rep.phone.incoming()
        await ours.answer()
        await theirs.until_answered()
        await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
        lives, phone = stack.engine.nodes.switch.node(await stage.live_call(rep)), stack.engine.registrations
        met.add(lives == phone.at(rep.devices[0]))
        await theirs.hang_up()
        await ours.until_ended()
        if met == {True, False}:
            break
    assert met == {True, False}, "of a dozen some are on the same node, and some are not"
    customer.will_answer()
    ours = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await ours.until_answered()
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await ours.hang_up()
    await theirs.until_ended()
