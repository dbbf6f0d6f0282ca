"""Trunks that fail: the next one carries the call, nobody is ever dialled twice, and the log names it (TRUST 8)."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from bench.figures import at_most
from pbx.core.gate import Destination
from pbx.services.alerts import Kind
from tests.live.stage import Carrier, Scene, facts
from tests.support.free_ports import free_port
from tests.support.sip_call import CallState
from tests.support.sip_phone import SipPhone
from tests.support.trust import Measured
from tests.support.waiting import Stopwatch, until


@pytest.fixture
async def first(scene: Scene) -> AsyncIterator[SipPhone]:
    """Another carrier, whose trunk comes before the one that works."""
    phone = await SipPhone.start("first", scene.stack.server, port=free_port())
    async with scene.stack.trunk(phone.address[1], priority=1) as trunk_id:
        await until(lambda: scene.stack.engine.registrations.reachable(trunk_id), 5, "the new trunk to answer OPTIONS")
        yield phone
    await phone.stop()
    scene.stack.engine.trunk_health.directory_changed()


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


def down(scene: Scene) -> list[str]:
    """What is said of trunks that are down now."""
    return [str(alert.data["why"]) for alert in scene.stack.engine.alerts.standing if alert.kind is Kind.TRUNK_DOWN]


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
async def test_a_silent_trunk_is_left_within_four_seconds_tried_last_and_told_of(
    scene: Scene, first: SipPhone, measured: Measured
):
    rep, customer = await scene.rep(), scene.outside()
    first.will_ignore()
    watch = Stopwatch()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming(within=8)
    measured(at_most("the next trunk after a silent one", watch.granted, "s", 4))
    assert down(scene) == ["silence"]
    await ring.answer()
    await call.until_answered()
    await call.hang_up()
    await ring.until_ended()
    assert facts(await scene.logged(rep), "trunk.silent")[0]["trunk_id"] != scene.stack.trunk_id
    watch = Stopwatch()
    again = await rep.phone.call(customer.number)
    second = await customer.incoming()
    assert watch.granted < 1 and len(first.calls) == 1
    await again.cancel()
    await second.until_ended()


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
async def test_a_trunk_that_only_says_100_keeps_the_call_until_it_rings(scene: Scene, first: SipPhone):
    rep, customer = await scene.rep(), scene.outside()
    first.will_try_first(ring_after=5)
    call = await rep.phone.call(customer.number)
    tried = await first.incoming()
    await call.until_ringing(within=7)
    await tried.answer()
    await call.until_answered()
    assert not customer.calls and down(scene) == []
    await call.hang_up()
    await tried.until_ended()


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
async def test_a_trunk_that_answers_too_late_is_dropped_and_the_next_has_the_call(
    scene: Scene, first: SipPhone, measured: Measured
):
    rep, customer = await scene.rep(), scene.outside()
    customer.will_answer()
    first.will_answer_late(after=4.5)
    call = await rep.phone.call(customer.number)
    late = await first.incoming()
    await call.until_answered(within=6)
    await call.until_hears(820)
    await late.until_ended(within=4)
    assert late.state is CallState.ENDED and not late.ended_by_us
    assert call.state is not CallState.ENDED
    await call.hang_up()
    await customer.calls[0].until_ended()
    measured(at_most("times that somebody was dialled twice", len(first.calls) + len(customer.calls) - 2, "times", 0))


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
@pytest.mark.parametrize("status", [503, 500])
async def test_a_trunk_that_refuses_is_told_of_until_it_takes_a_call(scene: Scene, first: SipPhone, status: int):
    rep, customer = await scene.rep(), scene.outside()
    first.will_reject(status)
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming(within=2)
    assert down(scene) == ["refusal"]
    await call.cancel()
    await ring.until_ended()
    first.will_ring()
    call = await rep.phone.call(customer.number)
    await call.until_ringing()
    assert down(scene) == []
    await call.cancel()


@pytest.fixture(params=["refused", "black-holed"])
async def no_tcp(request: pytest.FixtureRequest, scene: Scene) -> AsyncIterator[str]:
    """A trunk before the one that works, over TCP: nobody listens there, or nobody takes the connections."""
    port, hole = free_port(), socket.socket()
    waiting: list[socket.socket] = []
    if request.param == "black-holed":
        hole.bind(("127.0.0.1", port))
        hole.listen(0)
        waiting = fill(port)
    async with scene.stack.trunk(port, priority=1, transport="tcp") as trunk_id:
        scene.stack.engine.registrations.changed(trunk_id, "by hand", "Reachable")  # else it would be tried last
        yield trunk_id
        scene.stack.engine.registrations.changed(trunk_id, "by hand", "Removed")
    for each in [*waiting, hole]:
        each.close()


def fill(port: int) -> list[socket.socket]:
    """With its queue full, the kernel drops what else comes, as a firewall does."""
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(("127.0.0.1", port))
    return waiting


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
async def test_a_trunk_that_cannot_be_connected_to_is_left_within_four_seconds(
    scene: Scene, no_tcp: str, measured: Measured
):
    rep, customer = await scene.rep(), scene.outside()
    watch = Stopwatch()
    call = await rep.phone.call(customer.number)
    ring = await customer.incoming(within=8)
    measured(at_most("the next trunk after one that cannot be connected to", watch.granted, "s", 4))
    await call.cancel()
    await ring.until_ended()
    assert facts(await scene.logged(rep), "trunk.failed")[0]["trunk_id"] == no_tcp


@pytest.mark.trust(8)
@pytest.mark.covers("TRUST8")
async def test_a_trunk_that_has_lost_its_registration_is_tried_last_and_told_of(scene: Scene):
    carrier = await SipPhone.start("registrar", scene.stack.server, port=free_port())
    customer = Destination(scene.outside().number)
    # Asterisk itself puts each registration that is asked for off by 1 to 10 s.
    how = {"mode": "register", "username": "customer", "secret": "a-secret-of-twenty-characters"}
    async with scene.stack.trunk(carrier.address[1], priority=1, **how) as trunk_id:
        health, ami = scene.stack.engine.trunk_health, scene.stack.engine.ami
        await until(lambda: health.trusted(trunk_id) and health.trusted(scene.stack.trunk_id), 15, "both trunks")
        carrier.register_status = 403
        await ami.action("PJSIPRegister", Registration=trunk_id)
        await until(lambda: down(scene) == ["registration"], 15, "the alert")
        assert scene.stack.engine.routing.routes(customer)[-1].trunk_id == trunk_id
        carrier.register_status = 200
        await ami.action("PJSIPRegister", Registration=trunk_id)
        await until(lambda: down(scene) == [], 15, "the end of the alert")
        assert scene.stack.engine.routing.routes(customer)[0].trunk_id == trunk_id
    await carrier.stop()


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
