"""Calls that the dialplan took alone, as the log shows them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pbx.adapters.asterisk.fallback_log import FallbackCall
from pbx.core.call.record import CallRecord
from pbx.services.fallback_calls import fallback_id, history

ANSWERED = FallbackCall("1795523366.0", "in", "tr_a", "+14155550101", "+12065550150", 100, 103, "d2", 110, "ANSWER", 16)


class Nobody:
    """A directory without users."""

    settings = {"default_country": "US"}  # noqa: RUF012
    devices: dict[str, Any] = {}  # noqa: RUF012
    users: dict[str, Any] = {}  # noqa: RUF012

    def user_of(self, number: str) -> Any:
        return SimpleNamespace(id="u_1", number=number) if number == "+14155550101" else None


def folded(call: FallbackCall) -> CallRecord:
    call_id = fallback_id(call)
    record = CallRecord(call_id)
    for seq, fact in enumerate(history(call_id, call, Nobody()), 1):  # type: ignore[arg-type]
        record.fold(seq, fact.kind, fact.at, fact.data)
    return record


@pytest.mark.covers("P3", "TRUST2")
def test_an_answered_call_without_the_engine_has_its_times_and_people_in_the_log() -> None:
    row = folded(ANSWERED).call
    assert (row["source"], row["user_id"], row["customer_number"]) == ("fallback", "u_1", "+12065550150")
    assert (row["disposition"], row["reason"], row["talk_ms"]) == ("answered", "engine_away", 7000)


@pytest.mark.covers("P3", "TRUST2")
def test_what_nobody_took_and_what_nobody_has_are_told_apart() -> None:
    unanswered = FallbackCall("1.2", "in", "tr_a", "+14155550101", "+1206", 100, None, "", 130, "NOANSWER", 19)
    unknown = FallbackCall("1.4", "in", "tr_a", "+14155559999", "+1206", 100, None, "", 100, "", 1)
    assert folded(unanswered).call["disposition"] == "no_answer"
    assert (folded(unknown).call["disposition"], folded(unknown).call["reason"]) == ("refused", "unknown_number")


@pytest.mark.covers("P3", "TRUST3")
def test_a_call_that_never_ended_was_interrupted_with_the_switch() -> None:
    call = FallbackCall("1.6", "in", "tr_a", "+14155550101", "+1206", 100, 103, "d2")
    row = folded(call).call
    assert (row["disposition"], row["reason"], row["ended_us"]) == ("interrupted", "switch_restarted", 103_000_000)


@pytest.mark.covers("P3")
def test_what_was_recorded_without_the_engine_is_a_recording_of_the_call() -> None:
    call_id = fallback_id(ANSWERED)
    facts = history(call_id, ANSWERED, Nobody(), recorded=True)  # type: ignore[arg-type]
    kinds = [fact.kind for fact in facts]
    assert kinds[-5:] == ["recording.started", "recording.stopped", "leg.ended", "leg.ended", "call.ended"]
    assert facts[-5].data["recording"] == f"rec_{call_id[2:]}_1"


def test_the_same_line_gives_the_same_call_and_another_channel_another() -> None:
    other = FallbackCall("1795523366.2", "in", "tr_a", "+14155550101", "+1206", 100)
    assert fallback_id(ANSWERED) == fallback_id(ANSWERED) != fallback_id(other)
    assert len(fallback_id(ANSWERED)) == 28


@pytest.mark.covers("P3")
def test_a_call_too_many_stands_in_the_log_as_refused() -> None:
    shed = FallbackCall("1.8", "in", "tr_a", "+14155550101", "+1206", 100, None, "", 100, "SHED", 42)
    row = folded(shed).call
    assert (row["disposition"], row["reason"], row["user_id"]) == ("refused", "overloaded", "u_1")
