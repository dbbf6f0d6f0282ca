"""Whether a text may leave, and what else it says (T2, T6, T8, N3, N4)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from crm.text_states import MOVES, WAITING, State, may
from pbx.core.messaging.gate import Facts, Hours, OwnNumber, Reason, Receiver, Writer, decide
from pbx.core.messaging.pace import Bucket, wait_before

MIO = Writer("u_mio")
US = OwnNumber("+14155550101", "(415) 555-0101", "US", True, "u_mio", "Mio")
JP = OwnNumber("+819011112222", "+81 90-1111-2222", "JP", True, "u_sam", "Sam")
ANN = Receiver("+12065550150", "(206) 555-0150", "US", "fixed_or_mobile")
TOKYO = Receiver("+819012345678", "+81 90-1234-5678", "JP", "mobile")
FINE = Facts(campaign="approved", pairs={"US": ["US", "CA"]}, others=(JP,))


def test_a_text_against_which_nothing_stands_may_leave() -> None:
    assert decide(MIO, US, ANN, FINE).allowed


@pytest.mark.covers("T6", "N3")
@pytest.mark.parametrize(
    ("writer", "sender", "receiver", "facts", "reason"),
    [
        (replace(MIO, active=False), US, ANN, FINE, Reason.USER_INACTIVE),
        (MIO, None, ANN, FINE, Reason.NO_NUMBER),
        (MIO, JP, ANN, FINE, Reason.NOT_YOUR_NUMBER),
        (MIO, replace(US, sms=False), ANN, FINE, Reason.NUMBER_CANNOT_TEXT),
        (MIO, US, replace(ANN, e164=""), FINE, Reason.INVALID_NUMBER),
        (MIO, US, replace(ANN, e164=US.e164), FINE, Reason.OWN_NUMBER),
        (MIO, US, replace(ANN, kind="premium"), FINE, Reason.CANNOT_RECEIVE),
        (MIO, US, replace(TOKYO, kind="fixed"), FINE, Reason.CANNOT_RECEIVE),
        (MIO, US, TOKYO, FINE, Reason.COUNTRY),
        (MIO, US, ANN, replace(FINE, opted_out=True), Reason.OPTED_OUT),
        (MIO, US, ANN, replace(FINE, segments=0), Reason.EMPTY),
        (MIO, US, ANN, replace(FINE, segments=11), Reason.TOO_LONG),
        (MIO, US, ANN, replace(FINE, has_transport=False), Reason.NO_TRANSPORT),
        (MIO, US, ANN, replace(FINE, balance_micros=5, needs_micros=6), Reason.BALANCE),
        (MIO, US, ANN, replace(FINE, hours=Hours(False, 7)), Reason.HOURS),
        (MIO, US, ANN, replace(FINE, campaign=""), Reason.NO_CAMPAIGN),
        (MIO, US, ANN, replace(FINE, campaign="submitted"), Reason.CAMPAIGN),
    ],
)
def test_each_fact_against_it_is_named_with_a_sentence_that_says_what_to_do(
    writer: Writer, sender: OwnNumber | None, receiver: Receiver, facts: Facts, reason: Reason
) -> None:
    verdict = decide(writer, sender, receiver, facts)
    assert verdict.reason is reason and not verdict.allowed
    assert verdict.sentence.endswith(".") and len(verdict.sentence) > 40
    assert verdict.holds == (reason in (Reason.NO_CAMPAIGN, Reason.CAMPAIGN))


@pytest.mark.covers("T6")
def test_the_numbers_that_would_do_are_named_with_whose_they_are() -> None:
    verdict = decide(MIO, US, TOKYO, FINE)
    assert verdict.would_do == (JP.e164,) and "+81 90-1111-2222 (Sam)" in verdict.sentence
    assert "None of your organisation" in decide(MIO, US, TOKYO, replace(FINE, others=())).sentence


@pytest.mark.covers("T8")
def test_only_us_numbers_that_text_to_the_us_need_a_campaign() -> None:
    none = replace(FINE, campaign="")
    assert decide(MIO, US, replace(ANN, country="CA"), none).allowed
    assert decide(replace(MIO, user_id="u_sam"), JP, TOKYO, none).allowed


@pytest.mark.covers("T7", "TRUST23")
def test_nobody_but_the_confirmation_itself_reaches_who_has_opted_out() -> None:
    for segments, campaign, hours in product((1, 3), ("approved", ""), (Hours(), Hours(False))):
        facts = replace(FINE, opted_out=True, segments=segments, campaign=campaign, hours=hours)
        assert decide(MIO, US, ANN, facts).reason is Reason.OPTED_OUT
    assert decide(Writer(automatic=True), US, ANN, replace(FINE, opted_out=True, hours=Hours(False))).allowed


def test_texts_are_paced_and_segments_count_each() -> None:
    bucket = Bucket(per_minute=60)
    assert bucket.wait_us(1_000_000) == 0
    bucket.level_us = 1_000_000 + bucket.cost_us(3)
    assert bucket.wait_us(1_000_000) == 3_000_000
    assert bucket.wait_us(4_000_000) == 0


def test_the_waits_between_tries_grow_up_to_an_hour() -> None:
    assert [wait_before(each).total_seconds() for each in (2, 3, 4)] == [5, 15, 45]
    assert wait_before(50).total_seconds() == 3600


@pytest.mark.covers("T4")
def test_nothing_that_left_is_sent_or_taken_back_again() -> None:
    assert all(may(state, State.CANCELED) for state in WAITING)
    for state in (State.SENT, State.DELIVERED, State.FAILED, State.UNKNOWN, State.CANCELED):
        assert not MOVES[state] & {State.QUEUED, State.SENDING, State.CANCELED}
