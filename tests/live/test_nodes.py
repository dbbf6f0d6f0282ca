"""Two Asterisks and one engine: calls live on either, and phones of the one are rung for calls of the other (A8)."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from crm.services import trunks
from pbx import bootstrap
from pbx.adapters.asterisk import embedded
from pbx.bootstrap.nodes import GIVE_UP_S
from pbx.config import Config
from pbx.core.causes import Cause
from pbx.core.commands import HangUp, RingPhone
from pbx.core.events import Ask, PartyAsk
from pbx.core.ids import CallId, LegId
from tests.live.node_stage import NodeStack, close_nodes, open_nodes
from tests.live.stage import Rep, Scene
from tests.live.test_browser_phone import _open as open_browser
from tests.live.test_conference import CUSTOMER, GUEST, HOST, MUSIC, Table, everybody_hears, heard
from tests.support import postgres
from tests.support.browser import Browser
from tests.support.free_ports import free_port
from tests.support.house import ROOT
from tests.support.killable_engine import KillableEngine, with_patience
from tests.support.sip_call import Call
from tests.support.sip_phone import SipPhone
from tests.support.tones import tones_in
from tests.support.waiting import until
from tests.support.webrtc_media import why_not

pytestmark = pytest.mark.covers("A8")

VOICES = [540, 580, 620, 820, 900]


@pytest.fixture(scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NodeStack]:
    config = Config.load()
    prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
    cluster, overrides = None, {}
    with suppress(postgres.NoPostgres):  # else on SQLite, as here all of it is one machine
        cluster = await asyncio.to_thread(postgres.start)
        overrides["database_url"] = cluster.create_database("nodes")
    stack = await open_nodes(tmp_path_factory.mktemp("nodes"), prefix, **overrides)
    yield stack
    await close_nodes(stack)
    if cluster is not None:
        await asyncio.to_thread(cluster.stop)


@pytest.fixture
async def stage(nodes: NodeStack) -> AsyncIterator[Scene]:
    opened = Scene(nodes)
    yield opened
    await opened.close()


async def come_in(stage: Scene, rep: Rep, by: str, tone: float = 820) -> tuple[Call, Call]:
    """Somebody calls a rep by one of the nodes, and is answered: the customer's side and ours."""
    stack = stage.stack
    assert isinstance(stack, NodeStack)
    customer = stage.outside(tone=tone)
    carrier = stack.carrier if by == "a" else stack.carrier_b
    theirs = await carrier.phone.call(rep.did, caller=customer.number, tone=tone)
    ours = await rep.phone.incoming()
    assert ours.caller_number == customer.number
    await ours.answer()
    await theirs.until_answered()
    return theirs, ours


async def asks_for_a_call(stage: Scene, engine: KillableEngine, rep: Rep) -> tuple[Call, Call]:
    """The console has a call made: the customer's side and ours."""
    customer = stage.outside(tone=860)
    customer.will_answer()
    rep.phone.will_answer()
    status, answer = await engine.ask("POST", "/calls", to=customer.number, user=rep.id)
    assert status < 300, answer
    ours = await rep.phone.incoming()
    return await customer.incoming(), ours


async def engine_again(nodes: NodeStack) -> None:
    nodes.engine = await bootstrap.open_engine(nodes.config)
    await nodes.engine.start()
    await until(lambda: len(nodes.engine.nodes.there) == 2, 15, "both nodes to be linked")


@asynccontextmanager
async def no_engine(nodes: NodeStack) -> AsyncIterator[None]:
    await nodes.engine.stop()
    try:
        yield
    finally:
        await engine_again(nodes)


async def both_hear(theirs: Call, ours: Call, tone: float = 820, voice: float = 540) -> None:
    await asyncio.gather(theirs.until_hears(voice), ours.until_hears(tone))


@pytest.mark.parametrize("registered", ["a", "b"])
@pytest.mark.parametrize("by", ["a", "b"])
async def test_a_call_comes_in_by_either_node_for_a_phone_on_either(
    stage: Scene, nodes: NodeStack, by: str, registered: str
):
    rep = await stage.rep(at=nodes.at(registered))
    theirs, ours = await come_in(stage, rep, by)
    await both_hear(theirs, ours)
    call_id = await stage.live_call(rep)
    assert nodes.engine.nodes.switch.node(call_id) == by
    assert ours.header("X-Switchhook-Call") == call_id, "the console finds by it which call its phone rings for"
    await asyncio.sleep(1)
    await theirs.hang_up()
    await ours.until_ended()
    row, sound = await nodes.recorded(call_id)
    assert tones_in(sound.channel(0), VOICES, sound.rate) == {820}
    assert tones_in(sound.channel(1), VOICES, sound.rate) == {540}
    logged = await stage.logged(rep)
    assert (logged.row.disposition, logged.row.ended_by) == ("answered", "customer")
    assert abs(row.duration_ms - logged.row.talk_ms) < 800


@pytest.mark.parametrize("registered", ["a", "b"])
async def test_a_phone_calls_out_from_the_node_where_it_is(stage: Scene, nodes: NodeStack, registered: str):
    rep, customer = await stage.rep(at=nodes.at(registered)), stage.outside()
    customer.will_answer()
    ours = await rep.phone.call(customer.number)
    theirs = await customer.incoming()
    await ours.until_answered()
    await both_hear(theirs, ours)
    assert theirs.caller_number == rep.did
    assert nodes.engine.nodes.switch.node(await stage.live_call(rep)) == registered
    await ours.hang_up()
    await theirs.until_ended()
    assert (await stage.logged(rep)).row.disposition == "answered"


async def test_a_call_that_the_console_asks_for_lives_where_the_phone_is(stage: Scene, nodes: NodeStack):
    rep, customer = await stage.rep(at=nodes.at("b")), stage.outside()
    call_id = nodes.control.dial(rep.id, customer.number, by=rep.id)
    assert nodes.engine.nodes.switch.node(call_id) == "b"
    ours = await rep.phone.incoming()
    await ours.answer()
    theirs = await customer.incoming()
    await theirs.answer()
    await both_hear(theirs, ours)
    nodes.control.ask(call_id, Ask.HANG_UP, rep.id)
    await asyncio.gather(ours.until_ended(), theirs.until_ended())


async def test_a_phone_of_another_node_is_busy_or_does_not_answer_and_the_caller_is_told_so(
    stage: Scene, nodes: NodeStack
):
    rep, other = await stage.rep(at=nodes.at("b")), await stage.rep(at=nodes.at("a"))
    rep.phone.will_reject(486)
    call = await other.phone.call(rep.did)
    await call.until_ended(within=10)
    logged = await stage.logged(rep)
    assert "busy" in logged.results("user")
    rep.phone.will_ring()
    call = await stage.outside().call(rep.did)
    ring = await rep.phone.incoming()
    await call.until_ringing()
    await call.cancel()
    await ring.until_ended()
    assert (await stage.logged(rep, nth=2)).row.disposition == "missed"


async def test_of_two_phones_of_a_device_on_another_node_each_rings_once(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(at=nodes.at("b"))
    second = await stage.phone(rep, tone=660, at=nodes.at("b"))
    call = await stage.outside().call(rep.did)
    rings = [await rep.phone.incoming(), await second.incoming()]
    await rings[1].answer()
    await call.until_answered()
    await rings[0].until_ended()
    await both_hear(call, rings[1], voice=660)
    assert len(rep.phone.calls) == len(second.calls) == 1
    await call.hang_up()
    await rings[1].until_ended()


async def test_a_colleague_whose_phone_is_on_the_other_node_is_invited_held_and_handed_the_call(
    stage: Scene, nodes: NodeStack
):
    host, guest = await stage.rep(at=nodes.at("a")), await stage.rep(at=nodes.at("b"))
    theirs, ours = await come_in(stage, host, "a", CUSTOMER)
    await both_hear(theirs, ours, CUSTOMER, HOST)
    call_id = await stage.live_call(host)
    table = Table(stage, host, guest, stage.outside(), ours, theirs, call_id)
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    table.party(PartyAsk.HOLD, "guest")
    await heard(at_guest, *MUSIC)
    await heard(theirs, HOST)
    table.party(PartyAsk.UNHOLD, "guest")
    await everybody_hears(table)
    await ours.hang_up()
    await asyncio.gather(heard(theirs, GUEST), heard(at_guest, CUSTOMER))
    nodes.control.ask(call_id, Ask.HANG_UP, guest.id)
    await asyncio.gather(theirs.until_ended(), at_guest.until_ended())
    _, sound = await nodes.recorded(call_id)
    assert {HOST, GUEST} <= tones_in(sound.channel(1), VOICES, sound.rate)


async def test_a_guest_on_the_other_node_is_put_out(stage: Scene, nodes: NodeStack):
    host, guest = await stage.rep(at=nodes.at("b")), await stage.rep(at=nodes.at("a"))
    theirs, ours = await come_in(stage, host, "b", CUSTOMER)
    table = Table(stage, host, guest, stage.outside(), ours, theirs, await stage.live_call(host))
    at_guest = await table.guest_joins()
    await everybody_hears(table)
    table.party(PartyAsk.KICK, "guest")
    await at_guest.until_ended()
    await heard(theirs, HOST)
    await theirs.hang_up()
    await ours.until_ended()


async def test_a_phone_on_the_other_node_holds_by_itself_and_presses_keys(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(at=nodes.at("b"))
    theirs, ours = await come_in(stage, rep, "a", CUSTOMER)
    await both_hear(theirs, ours, CUSTOMER)
    await ours.press("12")
    await theirs.until_digits("12")
    await ours.hold()
    await heard(theirs, *MUSIC)
    call_id = await stage.live_call(rep)
    await ours.resume()
    await both_hear(theirs, ours, CUSTOMER)
    await ours.hang_up()
    await theirs.until_ended()
    assert "leg.held" in (await nodes.show(call_id)).kinds


async def test_a_transfer_by_a_phone_on_the_other_node_is_declined_and_the_call_goes_on(stage: Scene, nodes: NodeStack):
    rep, other = await stage.rep(at=nodes.at("b")), await stage.rep(at=nodes.at("b"))
    theirs, ours = await come_in(stage, rep, "a", CUSTOMER)
    await both_hear(theirs, ours, CUSTOMER)
    assert (await ours.transfer(other.did)).status == 603
    await both_hear(theirs, ours, CUSTOMER)
    assert not other.phone.calls
    await ours.hang_up()
    await theirs.until_ended()


async def test_what_a_phone_is_told_besides_the_call_reaches_it_on_the_other_node(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(at=nodes.at("b"))
    (binding,) = nodes.engine.registrations.phones(rep.devices)
    command = RingPhone(
        LegId("leg_01TOLD_1"), binding.dial, "+12065550199", "", timedelta(seconds=5), auto_answer=True, rejoins=True
    )
    nodes.node("a").switch.carry_out(CallId("c_01TOLD"), command)
    ring = await rep.phone.incoming()
    assert ring.header("X-Switchhook-Call") == ring.header("X-Switchhook-Rejoin") == "c_01TOLD"
    assert "answer-after=0" in str(ring.header("Call-Info")) and "alert-autoanswer" in str(ring.header("Alert-Info"))
    nodes.node("a").switch.carry_out(CallId("c_01TOLD"), HangUp(LegId("leg_01TOLD_1"), Cause.NORMAL))
    await ring.until_ended()


async def test_while_no_engine_is_there_a_phone_of_the_other_node_rings_all_the_same(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(at=nodes.at("b"))
    async with no_engine(nodes):
        theirs = await nodes.carrier.phone.call(rep.did, caller="+12065550188", tone=820)
        ours = await rep.phone.incoming()
        await ours.answer()
        await theirs.until_answered()
        await both_hear(theirs, ours)
        await theirs.hang_up()
        await ours.until_ended()
    logged = await stage.logged(rep, within=8)
    assert (logged.row.source, logged.row.disposition) == ("fallback", "answered")


async def test_a_node_that_was_given_up_and_is_there_after_all_lets_go_of_what_was_closed(
    stage: Scene, nodes: NodeStack
):
    rep = await stage.rep(at=nodes.at("b"))
    theirs, ours = await come_in(stage, rep, "b")
    node = nodes.node("b")
    nodes.engine.nodes._give_up(node)
    assert (await stage.logged(rep)).row.disposition == "interrupted"
    await node.ari.hang_up()
    await asyncio.gather(theirs.until_ended(), ours.until_ended())
    await until(lambda: node.is_linked and "b" not in nodes.engine.nodes.given_up, 5, "the node to be back")


async def test_a_trunk_registers_from_the_first_node_only(nodes: NodeStack):
    values = {"name": "registering", "mode": "register", "host": "127.0.0.1", "port": 9}
    values |= {"username": "us", "secret": "a-secret-of-twenty-characters", "priority": 99}
    trunk = await nodes.change(lambda work: trunks.add(work, values))
    try:
        for name, registers in (("a", True), ("b", False)):
            written = (nodes.nodes[name].layout.etc / "pjsip_trunks.conf").read_text()
            assert f"[{trunk.id}](trunk)" in written and ("type = registration" in written) is registers
    finally:
        await nodes.change(lambda work: trunks.remove(work, trunk.id))


async def test_nobody_else_comes_in_where_the_nodes_do(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(at=nodes.at("b"))
    stranger = await SipPhone.start("node-a", nodes.at("b"))
    try:
        call = await stranger.call(rep.devices[0])
        await call.until_ended(within=10)
        assert not rep.phone.calls and call.final_status in (401, 403, 404)
    finally:
        stranger.vanish()


async def test_a_node_is_killed_and_the_other_carries_on(stage: Scene, nodes: NodeStack):
    here, there = await stage.rep(at=nodes.at("a")), await stage.rep(at=nodes.at("b"))
    on_a = await come_in(stage, here, "a")
    on_b = await come_in(stage, there, "b", 900)
    await asyncio.gather(both_hear(*on_a), both_hear(*on_b, tone=900))
    call_id = await stage.live_call(there)
    await nodes.kill("b")
    for call in on_b:
        call.finish(by_us=True)
    try:
        assert nodes.engine.ready()["ready"] is True
        await both_hear(*on_a)
        logged = await stage.logged(there, within=GIVE_UP_S + 5)
        assert (logged.row.id, logged.row.disposition) == (call_id, "interrupted")
        await both_hear(*on_a)
        third = await stage.rep(at=nodes.at("a"))
        fresh = await come_in(stage, third, "a", 900)
        await both_hear(*fresh, tone=900)
        await asyncio.gather(fresh[0].hang_up(), on_a[0].hang_up())
        await asyncio.gather(fresh[1].until_ended(), on_a[1].until_ended())
    finally:
        await nodes.start("b")
    again = await stage.rep(at=nodes.at("b"))
    theirs, ours = await come_in(stage, again, "b")
    await both_hear(theirs, ours)
    await theirs.hang_up()
    await ours.until_ended()


async def test_the_engine_is_killed_and_the_next_one_has_the_calls_of_both_nodes(stage: Scene, nodes: NodeStack):
    here, there = await stage.rep(at=nodes.at("a")), await stage.rep(at=nodes.at("b"))
    away, asking = await stage.rep(at=nodes.at("b")), await stage.rep(at=nodes.at("b"))
    admin = await stage.rep(phones=0, number=False, role="admin")
    secret = await KillableEngine.token(nodes.change, admin.id)
    engine = KillableEngine(nodes.config, secret, forked=False)
    await nodes.engine.stop()
    await engine.start()
    try:
        on_a = await come_in(stage, here, "a")
        on_b = await come_in(stage, there, "b", 900)
        across = await come_in(stage, away, "a", 940)
        asked = await asks_for_a_call(stage, engine, asking)
        calls = ((on_a, 820), (on_b, 900), (across, 940), (asked, 860))
        await asyncio.gather(*(both_hear(*sides, tone=tone) for sides, tone in calls))
        await engine.until_one_stands_by()
        assert await engine.die() < 3
        await asyncio.gather(*(both_hear(*sides, tone=tone) for sides, tone in calls))
        for (theirs, ours), _ in calls:
            call_id = str(ours.header("X-Switchhook-Call"))
            await with_patience(lambda call_id=call_id: engine.ask("POST", f"/calls/{call_id}/hangup"))
            await asyncio.gather(theirs.until_ended(), ours.until_ended())
    finally:
        await engine.stop()
        await engine_again(nodes)


@pytest.mark.skipif(bool(why_not()), reason=why_not())
async def test_a_browsers_phone_rings_for_a_call_on_the_other_node(stage: Scene, nodes: NodeStack):
    rep = await stage.rep(phones=0)
    opened: list[Browser] = []
    try:
        browser = await open_browser(stage, rep, opened, 620)
        registered = nodes.engine.registrations.at(browser.user)
        assert registered == nodes.engine.nodes.for_browser(browser.user).name
        carrier = nodes.carrier_b if registered == "a" else nodes.carrier
        assert carrier is not None
        theirs = await carrier.phone.call(rep.did, caller="+12065550177", tone=820)
        ring = await browser.incoming()
        call_id = await stage.live_call(rep)
        assert ring.invite_came is not None and ring.invite_came.header("X-Switchhook-Call") == call_id
        assert nodes.engine.nodes.switch.node(call_id) != registered
        await ring.answer()
        await theirs.until_answered()
        await asyncio.gather(theirs.until_hears(620), ring.until_hears(820))
        await ring.hang_up()
        await theirs.until_ended()
    finally:
        await asyncio.gather(*(browser.close() for browser in opened))


async def test_a_node_is_run_by_its_name_until_its_service_manager_ends_it(tmp_path: Path):
    ports = {name: free_port("127.0.0.4") for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port")}
    settings = ['nodes = "c=127.0.0.4"', *(f"{name} = {port}" for name, port in ports.items())]
    (tmp_path / "config.toml").write_text("\n".join(settings) + "\n")
    command = (sys.executable, "-m", "pbx.cli", "--home", str(tmp_path), "node", "run", "c")
    running = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await until(lambda: _listens("127.0.0.4", ports["ari_port"]), 30, "the node to be up")
        assert not _listens("127.0.0.1", ports["ari_port"]) and _listens("127.0.0.4", ports["ami_port"])
        asked = await asyncio.create_subprocess_exec(*command[:-3], "asterisk", "status", cwd=ROOT)
        assert await asyncio.wait_for(asked.wait(), 20) == 0, "it is seen to run"
        running.terminate()
        assert await asyncio.wait_for(running.wait(), 20) == 0
        assert not _listens("127.0.0.4", ports["ari_port"])
    finally:
        if running.returncode is None:
            running.kill()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
