"""Everything together: phones and a carrier speak to the edge, one engine drives the two nodes behind it (A8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pbx.adapters import kamailio
from pbx.adapters.asterisk import embedded
from pbx.config import Config, ConfigError
from tests.live.edge_stage import EDGE, start_edge, stop_edge
from tests.live.node_stage import ADDRESSES, NodeStack, close_nodes, open_nodes
from tests.live.stage import Rep, Scene
from tests.support.sip_phone import SipPhone
from tests.support.waiting import Missed, Stopwatch, until

pytestmark = pytest.mark.covers("A8")
AGAIN_WITHIN_S = 5.0


class EdgeStack(NodeStack):
    @property
    def server(self) -> tuple[str, int]:
        return EDGE, self.config.sip_port

    @property
    def tls_server(self) -> tuple[str, int]:
        return EDGE, self.config.sip_tls_port

    def node_of(self, rep: Rep) -> str:
        """Where the rep's phone is registered, as the engine knows it."""
        return self.engine.nodes.registrations.at(rep.devices[0])


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    try:
        kamailio.program()
    except ConfigError as error:
        pytest.skip(str(error))
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    nodes = await open_nodes(tmp_path, prefix, edge=EDGE)
    stack = EdgeStack(**vars(nodes))
    stack.carrier.phone.server = stack.server
    edge = start_edge(stack.config)
    try:
        await until(lambda: _listens(stack), 10, "the edge to listen", every=0.05)
        opened = Scene(stack)
        yield opened
        await opened.close()
    finally:
        await asyncio.to_thread(stop_edge, edge)
        await close_nodes(stack)


def _listens(stack: EdgeStack) -> bool:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        return one.connect_ex(stack.tls_server) == 0


async def at_both(stage: Scene) -> tuple[EdgeStack, list[Rep]]:
    """People, of whom some are registered at each node."""
    stack, reps = stage.stack, []
    assert isinstance(stack, EdgeStack)
    while len({stack.node_of(rep) for rep in reps}) < len(ADDRESSES) or len(reps) < 3:
        reps.append(await stage.rep())
        assert len(reps) < 20
    return stack, reps


async def called_from_outside(stage: Scene, rep: Rep) -> None:
    customer = stage.outside()
    theirs = await customer.call(rep.did)
    ours = await rep.phone.incoming()
    assert ours.caller_number == customer.number
    await ours.answer()
    await theirs.until_answered()
    await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
    await theirs.hang_up()
    await ours.until_ended()


async def test_calls_come_in_go_out_and_go_between_whichever_nodes_they_need(stage: Scene) -> None:
    _, reps = await at_both(stage)
    for rep in reps:
        await called_from_outside(stage, rep)
    customer = stage.outside()
    customer.will_answer()
    for rep in reps:
        ours = await rep.phone.call(customer.number)
        theirs = await customer.incoming()
        assert theirs.caller_number == rep.did
        await ours.until_answered()
        await asyncio.gather(theirs.until_hears(540), ours.until_hears(820))
        await ours.hang_up()
        await theirs.until_ended()
    for one, other in zip(reps, [*reps[1:], reps[0]], strict=True):
        call = await one.phone.call(other.did)
        ring = await other.phone.incoming()
        await ring.answer()
        await call.until_answered()
        await asyncio.gather(call.until_hears(540), ring.until_hears(540))
        await call.hang_up()
        await ring.until_ended()


async def test_when_a_node_dies_all_are_reached_by_the_other_within_seconds(stage: Scene) -> None:
    stack, reps = await at_both(stage)
    await stack.kill("b")
    watch = Stopwatch()
    for rep in reps:
        while (await rep.phone.try_register(within=8)).status != 200 or stack.node_of(rep) != "a":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert watch.granted < AGAIN_WITHIN_S, f"{watch.passed:.1f} s"
    for rep in reps:
        await called_from_outside(stage, rep)
    await stack.start("b")
    for rep in reps:
        await called_from_outside(stage, rep)


async def test_who_guesses_through_the_edge_does_not_have_the_edge_blocked(stage: Scene) -> None:
    stack, reps = await at_both(stage)
    guesser = await SipPhone.start(reps[0].devices[0], stack.server, "wrong", register=False, host="127.0.0.23")
    with pytest.raises(Missed):
        for _ in range(40):
            await guesser.try_register(within=1)
    guesser.vanish()
    assert stack.engine.blocking.blocked(EDGE) is None and not stack.engine.blocking._held
    for rep in reps:
        await called_from_outside(stage, rep)


async def test_what_a_phone_dials_while_it_has_a_call_comes_to_the_node_of_that_call(stage: Scene) -> None:
    """Else it could not transfer the one to the other: a call lives on one node."""
    stack, reps = await at_both(stage)
    for rep in reps:
        theirs = await stage.outside().call(rep.did)
        ours = await rep.phone.incoming()
        await ours.answer()
        await theirs.until_answered()
        [node] = [name for name in ADDRESSES if await stack.channels(name)]
        back = await rep.phone.call(stage.outside().number)
        await until(lambda: len(list(stack.engine.calls)) == 2, 3, "the second call")
        assert not [name for name in ADDRESSES if name != node and await stack.channels(name)]
        await back.cancel()
        await theirs.hang_up()
        await ours.until_ended()
        await stack.until_nothing_left()
