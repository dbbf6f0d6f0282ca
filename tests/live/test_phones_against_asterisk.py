"""The harness proves itself: test phones and softphones call each other through a bare Asterisk and are heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded
from pbx.config import Config
from pbx.services.prompts import PACKAGED
from prompts.music import MUSIC_TONES
from prompts.sound import read_g722, speech_level_dbfs
from tests.support import baresip as softphones
from tests.support.bare_asterisk import BareAsterisk, start_bare_asterisk
from tests.support.baresip import Baresip
from tests.support.sip_call import CallState
from tests.support.sip_phone import SipPhone
from tests.support.tones import RATE, read_sound, tone_gaps, tones_in
from tests.support.waiting import Stopwatch

SECRET = "a-secret-of-twenty-characters"
PLAIN, SECURE = ("alice", "bob", "dave", "erin"), ("carol",)


@pytest.fixture(scope="module")
async def asterisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BareAsterisk]:
    prefix = embedded.built(Config.load().cache)
    if prefix is None:
        pytest.skip("No Asterisk has been built yet: run `pbx asterisk build`.")
    home = tmp_path_factory.mktemp("bare-asterisk")
    running = await start_bare_asterisk(prefix, home, PLAIN, SECRET, srtp_users=SECURE)
    yield running
    await running.stop()


@pytest.fixture
async def phone(asterisk: BareAsterisk) -> AsyncIterator[SipPhone]:
    started = await SipPhone.start("alice", asterisk.server, SECRET, tone=540)
    yield started
    await started.stop()


@pytest.fixture
async def other(asterisk: BareAsterisk) -> AsyncIterator[SipPhone]:
    started = await SipPhone.start("bob", asterisk.server, SECRET, tone=700)
    yield started
    await started.stop()


@pytest.fixture
async def softphone(asterisk: BareAsterisk, tmp_path: Path) -> AsyncIterator[Baresip]:
    if not softphones.installed():
        pytest.skip("baresip is not installed: apt-get install baresip-core")
    started = await Baresip.start("dave", SECRET, asterisk.server, tmp_path / "dave", tone=860)
    yield started
    await started.stop()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_two_phones_hear_each_other_and_no_other(asterisk, phone, transport):
    server = asterisk.tls_server if transport == "tls" else asterisk.server
    other = await SipPhone.start("bob", server, SECRET, tone=700, transport=transport)
    call = await phone.call("bob")
    ring = await other.incoming()
    await call.until_ringing()
    await ring.answer()
    await call.until_answered()
    await call.until_hears(700)
    await ring.until_hears(540)
    assert call.tones([540, 700, 860], last=0.5) == {700}
    assert ring.tones([540, 700, 860], last=0.5) == {540}
    await ring.hang_up()
    await call.until_ended()
    assert call.cause == 16
    await other.stop()


async def test_tls_with_srtp_is_heard_and_a_phone_without_it_is_refused(asterisk, phone):
    secure = await SipPhone.start("carol", asterisk.tls_server, SECRET, tone=700, transport="tls", srtp=True)
    call = await phone.call("carol")
    ring = await secure.incoming()
    await ring.answer()
    await call.until_answered()
    await call.until_hears(700)
    await ring.until_hears(540)
    assert ring.rtp.unseal.forged == 0
    await call.hang_up()
    back = await secure.call("600")
    await back.until_hears(700)
    secure.srtp = False
    plain = await secure.call("600")
    await plain.until_ended()
    assert plain.final_status == 488
    await secure.stop()


async def test_sound_is_whole_for_three_seconds(phone):
    call = await phone.call("600")
    await call.until_hears(540)
    watch = Stopwatch()
    heard = await call.listen(3)
    assert tones_in(heard, [540]) == {540} and not tone_gaps(heard, 540, at_least=0.04 * watch.slowness)
    assert call.ear.lost == 0


async def test_digits_and_hold_pass_through(phone, other):
    other.will_answer()
    call = await phone.call("bob")
    await call.until_answered()
    ring = other.current
    await call.press("159#")
    await ring.until_digits("159#")
    await ring.until_hears(540)
    await call.hold()
    await ring.until_stops_hearing(540)
    await ring.until_hears(MUSIC_TONES[0])
    assert tones_in(await ring.listen(0.6), [*MUSIC_TONES, 540, 700]) == set(MUSIC_TONES)
    await call.resume()
    await ring.until_hears(540)
    await ring.until_stops_hearing(MUSIC_TONES[0])


async def test_a_prompt_is_heard_whole(phone):
    call = await phone.call("700")
    await call.until_answered()
    started = call.at.answered or 0
    await call.until_ended(within=12)
    spoken = read_g722(PACKAGED / "en/unreachable.g722")
    heard = call.heard_between(started, call.at.ended or 0)
    assert len(heard) / RATE == pytest.approx(len(spoken) / 16000, abs=0.4)
    assert speech_level_dbfs(heard) == pytest.approx(speech_level_dbfs(spoken), abs=2)


async def test_cancel_and_busy_pass_through(phone, other):
    call = await phone.call("bob")
    ring = await other.incoming()
    await call.until_ringing()
    await call.hang_up()
    await ring.until_ended()
    assert call.final_status == 487 and ring.state is CallState.ENDED
    other.will_reject(486)
    call = await phone.call("bob")
    await call.until_ended()
    assert call.final_status == 486 and call.cause == 17


async def test_a_wrong_secret_is_refused(asterisk):
    phone = await SipPhone.start("bob", asterisk.server, "wrong", register=False)
    assert (await phone.try_register()).status == 401
    await phone.stop()


@pytest.mark.parametrize("codec", ["opus", "g722", "ulaw"])
async def test_a_softphone_and_a_phone_hear_each_other(asterisk, phone, tmp_path, codec):
    if not softphones.installed():
        pytest.skip("baresip is not installed: apt-get install baresip-core")
    soft = await Baresip.start("erin", SECRET, asterisk.server, tmp_path / "erin", tone=780, codecs=[codec])
    call = await phone.call("erin")
    await soft.incoming()
    await soft.answer()
    await call.until_answered()
    await call.until_hears(780)
    await soft.until_hears(540)
    await soft.press("12#")
    await call.until_digits("12#")
    await call.press("0*")
    await call.hang_up()
    await soft.until_closed()
    assert soft.digits == "0*"
    await soft.stop()
    sound = read_sound(soft.recordings()[-1])
    assert tones_in(sound.mono, [540, 700, 780, 860], sound.rate) == {540}


async def test_two_softphones_talk_over_udp_and_over_tls_with_srtp(asterisk, softphone, tmp_path):
    secure = await Baresip.start(
        "carol", SECRET, asterisk.tls_server, tmp_path / "carol", tone=1020, transport="tls", srtp=True, codecs=["g722"]
    )
    await softphone.dial("carol")
    event = await secure.incoming()
    assert event.fields["peeruri"].startswith("sip:dave@")
    await secure.answer()
    await softphone.until_established()
    await softphone.until_hears(1020)
    await secure.until_hears(860)
    await secure.until_event("CALL_MENC")
    await softphone.hold()
    await softphone.resume()
    await secure.until_hears(860)
    await softphone.hang_up()
    await secure.until_closed()
    await secure.stop()
