"""The practice carrier's numbers do what their list says; the engine's side of the trunk is played by a test phone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.practice import PracticeCarrier
from pbx.config import Config
from tests.support.free_ports import free_port
from tests.support.sip_phone import SipPhone
from tests.support.waiting import Deadline, Stopwatch, until

DID = "+14155550101"
CALLER = "+12065550142"


@pytest.fixture(scope="module")
async def carrier(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PracticeCarrier]:
    names = ("sip_port", "practice_sip_port", "practice_ami_port")
    start = free_port(width=200)
    config = Config.load(
        {**os.environ},
        home=tmp_path_factory.mktemp("carrier"),
        practice_rtp_start=start,
        practice_rtp_end=start + 199,
        **{name: free_port() for name in names},
    )
    prefix = embedded.ensure(config.cache, config.debian_mirror, lambda _fraction, _sentence: None)
    running = PracticeCarrier(config, prefix)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture(scope="module")
async def trunk(carrier: PracticeCarrier) -> AsyncIterator[SipPhone]:
    config = carrier._config
    server = ("127.0.0.1", config.practice_sip_port)
    peer = await SipPhone.start(DID, server, None, tone=540, port=config.sip_port)
    yield peer
    await peer.stop()


async def test_it_starts_without_an_error(carrier: PracticeCarrier) -> None:
    log = (carrier.layout.log / "messages.log").read_text()
    assert [line for line in log.splitlines() if "ERROR" in line or "WARNING" in line] == []


async def test_0150_answers_and_speaks(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550150")
    await call.until_answered()
    sound = await call.listen(2)
    assert float(abs(sound).mean()) > 0.01
    await call.hang_up()


@pytest.mark.parametrize(("number", "status"), [("+12065550151", 486), ("+12065550153", 603), ("+12065550159", 404)])
async def test_numbers_that_refuse(trunk: SipPhone, number: str, status: int) -> None:
    call = await trunk.call(number)
    await call.until_ended()
    assert call.final_status == status


async def test_0152_rings_until_the_caller_gives_up(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550152")
    await call.until_ringing()
    await asyncio.sleep(2)
    assert call.at.answered is None
    await call.cancel()


async def test_0154_answers_after_eight_seconds(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550154")
    watch = Stopwatch()
    await call.until_ringing()
    await call.until_answered(within=10)
    assert watch.passed > 7.5 and watch.granted < 9
    await call.hang_up()


@pytest.mark.parametrize("how", ["rfc4733", "info"])
async def test_0155_repeats_the_digit_that_was_pressed(trunk: SipPhone, carrier: PracticeCarrier, how: str) -> None:
    call = await trunk.call("+12065550155")
    await call.until_answered()
    await call.listen(0.5)
    await call.press("7", how)
    # The digit is a prompt: what is being played, the channel itself tells.
    deadline = Deadline(5)
    while "digit-7" not in await carrier.cli("core show channels concise"):
        assert not deadline.over
    await call.hang_up()


async def test_0156_is_a_mailbox_that_beeps(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550156")
    await call.until_answered()
    await call.until_hears(1000, within=15)
    await call.hang_up()


async def test_0157_gives_back_what_it_hears(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550157")
    await call.until_answered()
    await call.until_hears(540, within=12)
    await call.hang_up()


async def test_0158_sends_sound_before_it_answers(trunk: SipPhone) -> None:
    call = await trunk.call("+12065550158")
    await call.until_early_media()
    await call.until_hears(560, within=4)
    assert call.at.answered is None
    await call.until_answered(within=6)
    await call.hang_up()


async def test_0130_presses_a_key_and_0131_never_does(trunk: SipPhone) -> None:
    mobile, mailbox = await trunk.call("+12065550130"), await trunk.call("+12065550131")
    await mobile.until_answered()
    await mobile.until_digits("1")
    await mobile.until_hears(700)
    await mailbox.until_hears(1000, within=15)
    assert mailbox.digits == ""
    for call in (mobile, mailbox):
        await call.hang_up()


@pytest.mark.parametrize(("number", "hz"), [("+12065550160", 400), ("+12065550171", 620), ("12065550199", 1180)])
async def test_tone_numbers_have_each_their_own(trunk: SipPhone, number: str, hz: int) -> None:
    call = await trunk.call(number)
    await call.until_answered()
    await call.until_hears(hz)
    await call.hang_up()


@pytest.mark.parametrize("number", ["+19005550100", "7", "++1", "h", "s", "+1206555016%26Local"])
async def test_what_is_nobodys_number_is_refused(trunk: SipPhone, number: str) -> None:
    call = await trunk.call(number)
    await call.until_ended()
    assert call.final_status == 404


async def test_it_calls_a_did_with_the_number_asked_for_and_plays(trunk: SipPhone, carrier: PracticeCarrier) -> None:
    calling = asyncio.create_task(carrier.call(CALLER, DID, "tone", 2, hz=760))
    ring = await trunk.incoming()
    assert (ring.called_number, ring.caller_number) == (DID, CALLER)
    await ring.answer()
    assert (await calling).result == "answered"
    await ring.until_hears(760)
    await ring.until_ended(within=4)


async def test_it_calls_anonymously_and_presses_digits(trunk: SipPhone, carrier: PracticeCarrier) -> None:
    calling = asyncio.create_task(carrier.call("anonymous", DID, "echo", 10, digits="42#"))
    ring = await trunk.incoming()
    assert ring.caller_number == "anonymous"
    await ring.answer()
    await ring.until_digits("42#")
    call = await calling
    await carrier.hang_up(call.channel)
    await ring.until_ended()


@pytest.mark.parametrize(
    ("status", "result"),
    [(486, "busy"), (480, "no_answer"), (404, "unallocated"), (603, "declined"), (503, "congestion")],
)
async def test_it_tells_how_a_call_ended(trunk: SipPhone, carrier: PracticeCarrier, status: int, result: str) -> None:
    calling = asyncio.create_task(carrier.call(CALLER, DID))
    (await trunk.incoming()).reject(status)
    assert (await calling).result == result


async def test_a_number_that_is_none_is_not_called(carrier: PracticeCarrier) -> None:
    with pytest.raises(embedded.BuildError, match="is no number"):
        await carrier.call(CALLER, "100&Local/s")


@pytest.mark.covers("T5")
async def test_0140_answers_texts_and_reports_them_and_0149_refuses_them(trunk: SipPhone) -> None:
    trunk.messages.clear()
    assert (await trunk.text("+12065550149", "hello", caller=DID)).status == 404
    assert (await trunk.text("+12065550140", "会議は3時👍\nok, “yes”", caller=DID)).status == 202
    await until(lambda: len(trunk.messages) == 2, 10, "a report and an answer")
    report, answer = trunk.messages
    assert "<delivered/>" in report.body.decode()
    assert answer.body.decode() == "You wrote: 会議は3時👍\nok, “yes”"


@pytest.mark.covers("T5")
async def test_it_sends_texts_and_tells_what_was_answered(trunk: SipPhone, carrier: PracticeCarrier) -> None:
    trunk.messages.clear()
    assert (await carrier.text(CALLER, DID, "こんにちは 🎉"))[0] == 200
    assert trunk.messages[-1].body.decode() == "こんにちは 🎉"
    trunk.message_status = 403
    assert (await carrier.text(CALLER, DID, "no"))[0] == 403
    trunk.message_status = 200
