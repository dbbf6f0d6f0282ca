"""Trunks that fail: the next one carries the call, nobody is ever dialled twice, and the log names it (TRUST 8)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from tests.live.stage import Carrier, Scene, facts
from tests.support.free_ports import free_port
from tests.support.sip_phone import SipPhone
from tests.support.waiting import until


@pytest.fixture
async def first(scene: Scene) -> AsyncIterator[SipPhone]:
    """Another carrier, whose trunk comes before the one that works."""
    phone = await SipPhone.start("first", scene.stack.server, port=free_port())
    async with scene.stack.trunk(phone.address[1], priority=1) as trunk_id:
        await until(lambda: scene.stack.engine.registrations.reachable(trunk_id), 5, "the new trunk to answer OPTIONS")
        yield phone
    await phone.stop()


@pytest.mark.covers("TRUST8", "P5")
@pytest.mark.parametrize("status", [503, 500, 502, 408, 403])
async def test_only_a_trunk_that_fails_hands_the_call_on(scene: Scene, first: SipPhone, status: int):
    rep, customer = await scene.rep(), scene.outside()
    first.will_reject(status)
    call = await rep.phone.call(customer.number)
    tried = await first.incoming()
    if status == 403:  # the called party's or the carrier's own word: not to be asked again elsewhere
        await call.until_ended()
        assert not customer.calls
        return
    ring = await customer.incoming(within=2)
    assert ring.caller_number == rep.did
    await ring.answer()
    await call.until_answered()
    await call.until_hears(820)
    await call.hang_up()
    await ring.until_ended()
    assert len(first.calls) == 1 and tried.final_status == status
    logged = await scene.logged(rep)
    assert facts(logged, "trunk.failed")[0]["result"] == "unreachable"
    assert logged.row.trunk_id == scene.stack.trunk_id
    assert logged.row.disposition == "answered"


@pytest.mark.covers("TRUST8")
@pytest.mark.parametrize("status", [486, 603, 404, 480])
async def test_a_called_party_who_refuses_is_not_rung_again_by_another_trunk(
    scene: Scene, first: SipPhone, status: int
):
    rep, customer = await scene.rep(), scene.outside()
    first.will_reject(status, after=0.1)
    call = await rep.phone.call(customer.number)
    await call.until_ended()
    assert not customer.calls and len(first.calls) == 1


@pytest.mark.covers("TRUST8")
async def test_a_silent_trunk_is_given_up_within_seven_seconds(scene: Scene, first: SipPhone):
    rep, customer = await scene.rep(), scene.outside()
    first.will_ignore()
    started = time.monotonic()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming(within=8)
    assert time.monotonic() - started < 7
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    await ring.until_ended()


@pytest.mark.covers("TRUST8")
async def test_a_trunk_that_rings_is_never_left_for_another(scene: Scene, first: SipPhone):
    rep, customer = await scene.rep(), scene.outside()
    first.will_reject(503, after=0.3)  # rings first
    call = await rep.phone.call(customer.number)
    await call.until_ended()
    assert not customer.calls
    assert (await scene.logged(rep)).row.disposition == "unreachable"


@pytest.mark.covers("TRUST8", "V4")
async def test_both_trunks_dead_is_told_apart_from_busy(scene: Scene, first: SipPhone):
    rep, customer = await scene.rep(), scene.outside()
    first.will_reject(503)
    customer.will_reject(503)
    call = await rep.phone.call(customer.number)
    await call.until_ended()
    assert call.final_status == 503
    logged = await scene.logged(rep)
    assert logged.row.disposition == "unreachable"
    assert logged.results("customer") == ["unreachable", "unreachable"]


@pytest.mark.covers("I1", "A2")
async def test_a_trunk_added_while_running_brings_calls_at_once(scene: Scene):
    rep = await scene.rep()
    port = free_port()
    async with scene.stack.trunk(port, priority=50) as trunk_id:
        carrier = await Carrier.open(scene.stack.server, port)
        call = await carrier.person().call(rep.did)
        ring = await rep.phone.incoming()
        await call.cancel()
        await ring.until_ended()
        await carrier.phone.stop()
    assert (await scene.logged(rep)).row.trunk_id == trunk_id
