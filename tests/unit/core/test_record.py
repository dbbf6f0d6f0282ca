"""The log derived from facts: rows, folding twice, and facts that a full disk has cost."""

from __future__ import annotations

import pytest

from pbx.core.call.record import CallRecord
from pbx.core.commands import Fact
from pbx.core.events import Ask, Asked, LegAnswered, LegEnded, LegRinging, PlaybackDone, TimerFired
from tests.unit.core.story import CALL, RECORDED, VOICEMAIL, Story, comes_in, leg, mio

CALLER, PHONE = leg(1), leg(2)


def answered() -> Story:
    story = comes_in(mio(recording=RECORDED)).then(LegRinging(PHONE), after_ms=100)
    return story.then(LegAnswered(PHONE), after_ms=4000).then(Asked(Ask.HANG_UP, "u_1"), after_ms=61_500)


@pytest.mark.covers("P3")
def test_the_rows_of_an_answered_call() -> None:
    record = answered().record()
    expected = {
        "direction": "inbound",
        "state": "ended",
        "user_id": "u_1",
        "did": "+14155550101",
        "customer_number": "+12065550150",
        "device_id": "d1",
        "disposition": "answered",
        "ring_ms": 4000,
        "talk_ms": 61_500,
        "ended_by": "u_1",
        "recording_state": "processing",
    }
    assert {name: record.call[name] for name in expected} == expected
    assert record.legs[PHONE]["answered_us"] == record.call["answered_us"]
    assert {(row["role"], row["left_us"]) for row in record.participants.values()} == {
        ("host", record.call["ended_us"]),
        ("customer", record.call["ended_us"]),
    }


def test_folding_twice_changes_nothing() -> None:
    story = answered()
    record = story.record()
    once = repr(record)
    for seq, fact in enumerate(story.facts, 1):
        record.fold(seq, fact.kind, fact.at, fact.data)
    assert repr(record) == once


def test_half_folded_and_then_the_rest_is_the_same_as_all_at_once() -> None:
    story = answered()
    for half in range(len(story.facts)):
        record = CallRecord(CALL)
        for seq, fact in [*enumerate(story.facts[:half], 1), *enumerate(story.facts, 1)]:
            record.fold(seq, fact.kind, fact.at, fact.data)
        assert repr(record) == repr(story.record())


@pytest.mark.covers("P3")
def test_a_missing_fact_costs_no_more_than_itself() -> None:
    story = answered()
    for lost in range(len(story.facts)):
        record = CallRecord(CALL)
        for seq, fact in enumerate(story.facts, 1):
            if seq != lost + 1:
                record.fold(seq, fact.kind, fact.at, fact.data)
        assert record.ended or story.facts[lost].kind == "call.ended"


@pytest.mark.covers("I7", "I8")
def test_missed_calls_and_messages_are_told_apart() -> None:
    missed = comes_in().then(LegRinging(PHONE)).then(LegEnded(CALLER, 127)).record()
    assert (missed.call["disposition"], missed.call["answered_us"], missed.participants) == ("missed", None, {})
    story = comes_in(mio(voicemail=VOICEMAIL, forwarding="")).then(TimerFired("ring"))
    [playback] = story.call.after_playback
    voicemail = story.then(PlaybackDone(playback)).then(LegEnded(CALLER, 16), 3000).record()
    assert voicemail.call["disposition"] == "voicemail" and voicemail.call["talk_ms"] is None
    [message] = voicemail.voicemails.values()
    assert message["user_id"] == "u_1" and message["caller_number"] == "+12065550150"


def test_facts_of_an_unknown_kind_are_passed_over() -> None:
    record = CallRecord(CALL)
    fact = Fact("something.new", answered().facts[0].at, {})
    record.fold(1, fact.kind, fact.at, fact.data)
    assert record.seq == 1 and not record.ended
