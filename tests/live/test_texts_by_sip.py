"""Texts as SIP MESSAGE over the trunk, both ways, through a real Asterisk: none is lost, and none left in doubt."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from pbx.adapters.sms.sip_message import SipMessageTransport
from pbx.services.ports_texts import Accepted, Delivery, OutgoingText, Refused, TransportSettings, Uncertain
from tests.integration.sms.sinks import Sink
from tests.live.stage import Scene
from tests.support.sip_message import Address
from tests.support.waiting import until

DID, MOBILE = "+14155550101", "+12065550140"
BODY = "👩‍👩‍👧‍👦 会議は午後3時です。\nSecond line; “quoted”, 100% & <b>\\n\r\nend"


class Line:
    def __init__(self, scene: Scene, name: str) -> None:
        self.scene, self.sink = scene, Sink()
        engine, trunk = scene.stack.engine, scene.stack.trunk_id
        settings = TransportSettings("tt_1", name, "sip_message", {"trunk": trunk})
        self.transport = SipMessageTransport(settings, self.sink, engine.sip_texts, lambda: engine.directory)
        self.running = asyncio.ensure_future(self.transport.run())
        self.phone = scene.stack.carrier.phone

    async def send(self, message_id: str, body: str = BODY) -> object:
        return await self.transport.send(OutgoingText(message_id, DID, MOBILE, body, "ucs2", 2))


@pytest.fixture
async def line(scene: Scene) -> AsyncIterator[Line]:
    made = Line(scene, "trunk")
    made.phone.message_status, made.phone.message_headers = 200, []
    made.phone.messages.clear()
    yield made
    made.phone.message_status = 200
    made.running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await made.running


@pytest.mark.covers("T5", "T3", "V6")
async def test_a_text_goes_out_whole_with_the_did_as_its_sender(line: Line) -> None:
    assert await line.send("tx_out_1") == Accepted("tx_out_1")
    [message] = line.phone.messages
    assert message.body.decode() == BODY
    assert (message.uri.split("@")[0], message.call_id) == (f"sip:{MOBILE}", "tx_out_1")
    assert Address.parse(message.header("From") or "").uri.startswith(f"sip:{DID}@")
    assert (message.header("Content-Type") or "").replace(" ", "").lower() == "text/plain;charset=utf-8"
    assert message.header("Contact") is None


@pytest.mark.covers("T5", "T3")
async def test_a_text_of_ten_parts_goes_both_ways_whole(line: Line) -> None:
    long = "長い文章です。" * 95
    assert await line.send("tx_out_2", long) == Accepted("tx_out_2")
    assert line.phone.messages[-1].body.decode() == long
    assert (await line.phone.text(DID, long, caller=MOBILE)).status == 202
    await until(lambda: bool(line.sink.texts), 5, "the text")
    assert line.sink.texts[0].body == long


@pytest.mark.covers("T4", "T5")
@pytest.mark.parametrize(("status", "permanent"), [(403, True), (404, True), (480, False), (503, False), (603, True)])
async def test_what_the_other_side_refuses_says_so(line: Line, status: int, permanent: bool) -> None:
    line.phone.message_status, line.phone.message_headers = status, [("Retry-After", "9")]
    sent = await line.send(f"tx_{status}")
    assert isinstance(sent, Refused)
    assert (sent.code, sent.permanent, sent.retry_after_s) == (f"sip_{status}", permanent, 9.0)
    assert str(status) in sent.sentence


@pytest.mark.covers("T4", "T5")
async def test_silence_of_the_other_side_is_uncertain(line: Line) -> None:
    line.phone.message_status = None
    assert isinstance(await line.send("tx_silent"), Uncertain)


@pytest.mark.covers("T5", "T3")
async def test_a_text_comes_in_whole_and_a_report_finds_its_text(line: Line) -> None:
    answer = await line.phone.text(DID, BODY, kind="text/plain;charset=utf-8", caller="12065550140")
    assert answer.status == 202
    await until(lambda: bool(line.sink.texts), 5, "the text")
    [text] = line.sink.texts
    assert (text.sender, text.receiver, text.body) == (MOBILE, DID, BODY)
    report = (
        '<?xml version="1.0"?><imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>tx_out_1</message-id>'
        "<delivery-notification><status><delivered/></status></delivery-notification></imdn>"
    )
    assert (await line.phone.text(DID, report, kind="message/imdn+xml", caller=MOBILE)).status == 202
    await until(lambda: bool(line.sink.reports), 5, "the report")
    assert (line.sink.reports[0].message_id, line.sink.reports[0].state) == ("tx_out_1", Delivery.DELIVERED)


@pytest.mark.covers("T5", "P3")
async def test_a_text_that_came_while_nobody_could_keep_it_is_not_lost(line: Line) -> None:
    line.sink.away = True
    assert (await line.phone.text(DID, "kept", caller=MOBILE)).status == 202
    spool = line.scene.stack.config.home / "asterisk" / "spool" / "texts"
    await until(lambda: len(list(spool.glob("*.json"))) == 1, 5, "the text on the disk")
    line.sink.away = False
    await until(lambda: [each.body for each in line.sink.texts] == ["kept"], 10, "the text")
    await until(lambda: not list(spool.glob("*")), 5, "the empty spool")


@pytest.mark.covers("T5")
async def test_what_is_no_text_is_refused_and_a_phone_sends_none(line: Line) -> None:
    assert (await line.phone.text(DID, "x" * 17_000, caller=MOBILE)).status in (413, 500)
    assert (await line.phone.text("%00%0a", "hello", caller=MOBILE)).status in (400, 404)
    rep = await line.scene.rep()
    assert (await rep.phone.text(MOBILE, "hello")).status == 404
    await asyncio.sleep(0)
    assert line.sink.texts == []
