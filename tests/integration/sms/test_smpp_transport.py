"""Texts by SMPP 3.4, against an SMSC that another library plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pbx.adapters.sms.smpp import SmppTransport
from pbx.core.messaging.segments import count
from pbx.services.ports_texts import Accepted, Delivery, Refused, TransportSettings, Uncertain
from tests.integration.sms.sinks import Sink, a_text
from tests.support.free_ports import free_port
from tests.support.smsc import Smsc
from tests.support.waiting import until

THROTTLED = 0x58
JAPANESE = "会議は午後3時に変わりました。よろしくお願いします🙇‍♀️。" * 4


class Line:
    """A transport bound to an SMSC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smsc, self.sink = Smsc(free_port(), free_port()), Sink()
        self.tasks: list[asyncio.Task[None]] = []

    def transport(self, **options: Any) -> SmppTransport:
        options = {"host": "127.0.0.1", "port": self.smsc.port, "system_id": "us", "window": 4} | options
        made = SmppTransport(
            TransportSettings("tt_1", "x", "smpp", options, {"password": "secret"}), self.sink, self.folder
        )
        self.tasks.append(asyncio.ensure_future(made.run()))
        return made

    async def bound(self, **options: Any) -> SmppTransport:
        made = self.transport(**options)
        await until(lambda: made.ready, 10, made.condition)
        await self.smsc.bound()
        return made

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    made = Line(tmp_path)
    await made.smsc.start()
    yield made
    await made.leave()
    await made.smsc.stop()


@pytest.mark.covers("T5", "T3")
async def test_a_short_text_goes_out_in_the_seven_bit_alphabet_with_its_extensions(line: Line) -> None:
    made = await line.bound()
    assert await made.send(a_text("Price: 5€ [net]\n@ Café Ω")) == Accepted("m1")
    [event] = line.smsc.taken
    assert (event.source_addr, event.source_addr_ton, event.destination_addr) == ("14155550101", 1, "12065550140")
    assert (event.data_coding, event.esm_class, event.registered_delivery) == (0, 0, 1)
    assert event.short_message == b"Price: 5\x1be \x1b<net\x1b>\n\x00 Caf\x05 \x15"
    assert "Connected" in made.condition


@pytest.mark.covers("T5", "T3")
async def test_a_long_text_goes_out_in_parts_that_say_how_they_belong_together(line: Line) -> None:
    made = await line.bound()
    sent = await made.send(a_text(JAPANESE, "tx_9", "ucs2", count(JAPANESE).segments))
    parts = [event.short_message for event in line.smsc.taken]
    assert isinstance(sent, Accepted)
    assert (sent.provider_id, len(sent.part_ids), len(parts)) == (
        "m1",
        count(JAPANESE).segments,
        count(JAPANESE).segments,
    )
    assert {event.data_coding for event in line.smsc.taken} == {8}
    assert {event.esm_class for event in line.smsc.taken} == {0x40}
    assert [(part[:3], part[4], part[5]) for part in parts] == [
        (b"\5\0\3", len(parts), at + 1) for at in range(len(parts))
    ]
    assert len({part[3] for part in parts}) == 1
    assert b"".join(part[6:] for part in parts).decode("utf-16-be") == JAPANESE
    assert all(len(part) <= 140 for part in parts)


@pytest.mark.covers("T4", "T5")
async def test_the_smscs_refusal_says_why_and_throttling_may_be_tried_again(line: Line) -> None:
    made = await line.bound()
    line.smsc.answer = lambda event: 0x0B
    nobody = await made.send(a_text())
    line.smsc.answer = lambda event: THROTTLED
    slow = await made.send(a_text())
    assert isinstance(nobody, Refused) and isinstance(slow, Refused)
    assert (nobody.code, nobody.permanent, slow.code, slow.permanent) == ("smpp_11", True, "throttled", False)
    assert slow.retry_after_s


@pytest.mark.covers("T5")
async def test_a_part_that_is_throttled_follows_the_ones_before_it(line: Line) -> None:
    made = await line.bound()
    answers: list[str | int] = ["a", THROTTLED, "b", "c", "d", "e", "f"]
    line.smsc.answer = lambda event: answers.pop(0)
    sent = await made.send(a_text("x" * 300, segments=2))
    assert sent == Accepted("a", ("a", "b"))


@pytest.mark.covers("T4", "T5")
async def test_receipts_tell_what_became_of_a_text(line: Line) -> None:
    await line.bound(receipt_ids="decimal")
    assert await line.smsc.report("m1") == 0
    assert await line.smsc.report("m2", "UNDELIV", "069") == 0
    assert await line.smsc.report("m3", "ENROUTE") == 0
    assert [(each.provider_id, each.state, each.code) for each in line.sink.reports] == [
        ("m1", Delivery.DELIVERED, ""),
        ("m2", Delivery.FAILED, "undeliv_069"),
        ("m3", Delivery.SENT, ""),
    ]
    assert line.sink.reports[1].sentence


@pytest.mark.covers("T5", "T3")
async def test_a_text_in_parts_comes_in_whole_whatever_their_order_and_across_a_restart(line: Line) -> None:
    await line.bound()
    whole = JAPANESE.encode("utf-16-be")
    pieces = [whole[at : at + 134] for at in range(0, len(whole), 134)]
    heads = [bytes((5, 0, 3, 77, len(pieces), number)) for number in range(1, len(pieces) + 1)]
    parts = [head + piece for head, piece in zip(heads, pieces, strict=True)]
    for part in reversed(parts[1:]):
        assert await line.smsc.deliver("12065550140", "14155550101", part, esm_class=0x40, data_coding=8) == 0
    assert line.sink.texts == []
    await line.leave()
    line.transport()
    await line.smsc.bound(2)
    assert await line.smsc.deliver("12065550140", "14155550101", parts[0], esm_class=0x40, data_coding=8) == 0
    [text] = line.sink.texts
    assert (text.sender, text.receiver, text.body) == ("+12065550140", "+14155550101", JAPANESE)
    assert not list((line.folder / "tt_1").iterdir())


@pytest.mark.covers("T5", "P3")
async def test_a_text_that_cannot_be_kept_is_not_acknowledged_and_comes_again_once(line: Line) -> None:
    await line.bound()
    line.sink.away = True
    assert await line.smsc.deliver("12065550140", "14155550101", b"Hello") == 0x64
    line.sink.away = False
    assert await line.smsc.deliver("12065550140", "14155550101", b"Hello") == 0
    assert await line.smsc.deliver("12065550140", "14155550101", b"Hello") == 0
    assert len({each.provider_id for each in line.sink.texts}) == 2  # twice "Hello" are two texts


@pytest.mark.covers("T5")
async def test_a_text_that_comes_again_over_another_session_is_the_same_one(line: Line) -> None:
    await line.bound()
    await line.smsc.deliver("12065550140", "14155550101", b"Hello")
    await line.smsc.cut()
    await line.smsc.connect()
    await line.smsc.bound(2)
    await line.smsc.deliver("12065550140", "14155550101", b"Hello")
    assert len(line.sink.texts) == 2
    assert len({each.provider_id for each in line.sink.texts}) == 1


@pytest.mark.covers("T5")
async def test_a_lost_smsc_is_found_again_and_what_was_on_its_way_is_called_uncertain(line: Line) -> None:
    made = await line.bound()
    line.smsc.answer = lambda event: None  # it never answers
    sending = asyncio.ensure_future(made.send(a_text()))
    await line.smsc.signal.until(lambda: bool(line.smsc.taken), 5, lambda: "Nothing came.")
    await line.smsc.cut()
    sent = await sending
    assert isinstance(sent, Uncertain | Refused)
    await until(lambda: not made.ready, 10, "the connection")
    waiting = await made.send(a_text())
    assert isinstance(waiting, Refused) and not waiting.permanent
    assert waiting.sentence.endswith("tried again.")
    line.smsc.answer = lambda event: "again"
    await line.smsc.connect()
    await until(lambda: made.ready, 15, "the connection")
    assert await made.send(a_text()) == Accepted("again")


@pytest.mark.covers("T5")
async def test_many_texts_at_once_stay_inside_the_window(line: Line) -> None:
    made = await line.bound(window=3)
    sent = await asyncio.gather(*(made.send(a_text(f"number {at}", f"tx_{at}")) for at in range(50)))
    assert len({each.provider_id for each in sent if isinstance(each, Accepted)}) == 50
