"""The story as a user lives it: two real softphones (baresip), our engine, and the practice carrier as the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.practice import PracticeCarrier
from pbx.config import Config
from tests.live.stage import Rep, Scene
from tests.support import baresip as softphones
from tests.support.baresip import Baresip
from tests.support.free_ports import free_port
from tests.support.tones import tones_in
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not softphones.installed(), reason="baresip is not installed: see baresip-core")


@pytest.fixture
async def practice(scene: Scene) -> AsyncIterator[PracticeCarrier]:
    """The practice carrier, whose trunk comes first for the time of the test."""
    stack = scene.stack
    prefix = embedded.built(Config.load().cache)
    assert prefix is not None
    config = replace(stack.config, practice_sip_port=free_port(), practice_ami_port=free_port())
    carrier = PracticeCarrier(config, prefix)
    await carrier.start()
    try:
        async with stack.trunk(config.practice_sip_port, priority=1) as trunk_id:
            await until(lambda: stack.engine.registrations.reachable(trunk_id), 5, "the practice carrier to answer")
            yield carrier
    finally:
        await carrier.stop()


async def soft(scene: Scene, rep: Rep, where: Path, **how: object) -> Baresip:
    tls = how.get("transport") == "tls"
    server = scene.stack.tls_server if tls else scene.stack.server
    phone = await Baresip.start(rep.devices[0], rep.secrets[0], server, where, tone=860, **how)  # type: ignore[arg-type]
    registrations = scene.stack.engine.registrations
    await until(lambda: registrations.phones(rep.devices), 3, "the softphone to be registered")
    return phone


async def bare(scene: Scene, **values: object) -> Rep:
    """A user whose phone is still in its box."""
    rep = await scene.rep(**values)  # type: ignore[arg-type]
    await rep.phone.register(0)
    await until(lambda: not scene.stack.engine.registrations.phones(rep.devices), 3, "the test phone to be gone")
    return rep


@pytest.mark.covers("V4", "V6", "V10", "V15", "I1")
@pytest.mark.parametrize("codec", ["opus", "g722", "ulaw"])
async def test_a_softphone_calls_the_network_is_called_back_and_the_recordings_hold_both(
    scene: Scene, practice: PracticeCarrier, tmp_path: Path, codec: str
):
    rep = await bare(scene)
    desk = await soft(scene, rep, tmp_path / "desk", codecs=[codec])
    await desk.dial("+12065550170")  # answers with 600 Hz
    await desk.until_established()
    await desk.until_hears(600)
    await desk.hang_up()
    logged = await scene.logged(rep)
    _, sound = await scene.stack.recorded(logged.row.id)
    assert 600 in tones_in(sound.channel(0), [600, 860], sound.rate)
    assert 860 in tones_in(sound.channel(1), [600, 860], sound.rate)
    called = practice.call("+12065550142", rep.did, "tone", 6, hz=740)

    calling = asyncio.ensure_future(called)
    event = await desk.incoming()
    assert "+12065550142" in event.fields["peeruri"]
    await desk.answer()
    assert (await calling).answered
    await desk.until_hears(740)
    await desk.hang_up()
    assert (await scene.logged(rep, nth=2)).row.disposition == "answered"
    await desk.stop()


@pytest.mark.covers("V15", "I1")
async def test_two_softphones_talk_over_tls_and_srtp_and_over_udp(scene: Scene, tmp_path: Path):
    first, second = await bare(scene, transport="tls", srtp=True), await bare(scene)
    one = await soft(scene, first, tmp_path / "one", transport="tls", srtp=True, codecs=["opus"])
    two = await Baresip.start(
        second.devices[0], second.secrets[0], scene.stack.server, tmp_path / "two", tone=740, codecs=["g722"]
    )
    await until(lambda: scene.stack.engine.registrations.phones(second.devices), 3, "the second softphone")
    await one.dial(second.did)
    await two.incoming()
    await two.answer()
    await one.until_established()
    await one.until_hears(740)
    await two.until_hears(860)
    await one.hang_up()
    await two.until_closed()
    assert (await scene.stack.logged(did=second.did)).row.direction == "internal"
    await one.stop()
    await two.stop()


@pytest.mark.covers("I3")
async def test_a_real_mobile_accepts_by_key_and_its_mailbox_does_not(scene: Scene, practice: PracticeCarrier):
    mobile = await scene.rep(phones=0, forwarding_number="+12065550130")
    answered = await practice.call("+12065550142", mobile.did, "tone", 3, hz=740, ring_s=30)
    assert answered.answered
    await practice.hang_up(answered.channel)
    assert (await scene.logged(mobile, within=6)).row.via == "forward"
    switched_off = await scene.rep(phones=0, forwarding_number="+12065550131", voicemail_enabled=False)
    call = await scene.outside().call(switched_off.did)
    await call.until_ended(40)
    assert call.at.answered is None
    assert (await scene.logged(switched_off)).row.reason == "forward_not_accepted"
