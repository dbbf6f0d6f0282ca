"""The gate before any call leaves (P5): every reason, which one is named first, and what no list of facts lets pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.core.causes import Cause
from pbx.core.gate import SENTENCES, Caller, Destination, Load, Policy, Reason, Untimely, Verdict, decide

DID = "+14155550101"
NUMBER = Destination("+12065550150", "US", "fixed_or_mobile")
GOOD = (NUMBER, Caller(did=DID), Policy(), Load())

_CASES: list[tuple[Reason, Destination, Caller, Policy, Load, bool]] = [
    (Reason.USER_INACTIVE, NUMBER, Caller(active=False, did=DID), Policy(), Load(), False),
    (Reason.NO_RIGHT, NUMBER, Caller(may_call=False, did=DID), Policy(), Load(), False),
    (Reason.NO_NUMBER, NUMBER, Caller(), Policy(), Load(), False),
    (Reason.NUMBER_CANNOT_CALL, NUMBER, Caller(did=DID, did_voice=False), Policy(), Load(), False),
    (Reason.INVALID_NUMBER, Destination(""), Caller(did=DID), Policy(), Load(), False),
    (Reason.FORWARD_LOOP, replace(NUMBER, comes_back=True), Caller(did=DID), Policy(), Load(), False),
    (Reason.PREFIX, NUMBER, Caller(did=DID), Policy(deny_prefixes=("+1206",)), Load(), False),
    (Reason.PREMIUM, Destination("+19005550150", "US", "premium"), Caller(did=DID), Policy(), Load(), False),
    (Reason.SATELLITE, Destination("+870773000000", "", "satellite"), Caller(did=DID), Policy(), Load(), False),
    (Reason.COUNTRY, NUMBER, Caller(did=DID), Policy(deny_countries=frozenset({"US"})), Load(), False),
    (Reason.COUNTRY, NUMBER, Caller(did=DID), Policy(allow_countries=frozenset({"JP"})), Load(), False),
    (Reason.DO_NOT_CALL, NUMBER, Caller(did=DID), Policy(), Load(), True),
    (Reason.OVERLOADED, NUMBER, Caller(did=DID), Policy(), Load(overloaded=True), False),
    (Reason.USER_BUSY_LIMIT, NUMBER, Caller(did=DID, concurrent=2, max_concurrent=2), Policy(), Load(), False),
    (Reason.ORG_BUSY_LIMIT, NUMBER, Caller(did=DID), Policy(max_concurrent=9), Load(concurrent=9), False),
    (Reason.USER_SPEND, NUMBER, Caller(did=DID, spent_micros=5, spend_cap_micros=5), Policy(), Load(), False),
    (Reason.ORG_SPEND, NUMBER, Caller(did=DID), Policy(spend_cap_micros=5), Load(spent_micros=6), False),
    (Reason.NO_CREDIT, NUMBER, Caller(did=DID), Policy(), Load(has_credit=False), False),
    (Reason.NO_TRUNK, NUMBER, Caller(did=DID), Policy(), Load(trunk_free=False), False),
]


@pytest.mark.covers("P5")
@pytest.mark.parametrize(("reason", "destination", "caller", "policy", "load", "listed"), _CASES)
def test_each_fact_against_a_call_is_named(
    reason: Reason, destination: Destination, caller: Caller, policy: Policy, load: Load, listed: bool
) -> None:
    assert decide(destination, caller, policy, load, do_not_call=listed) == Verdict(False, reason)


@pytest.mark.covers("P5")
def test_every_reason_has_a_case_here_and_a_sentence_with_an_end() -> None:
    others = {Reason.ALLOWED, Reason.EMERGENCY, Reason.CALLING_HOURS, Reason.LOCAL_TIME_UNKNOWN, Reason.OPTED_OUT}
    assert {case[0] for case in _CASES} | others == set(Reason)
    assert all(SENTENCES[reason].endswith(".") for reason in Reason)


@pytest.mark.covers("P5", "L4")
def test_who_wants_no_contact_is_left_out_and_an_emergency_passes_all_the_same() -> None:
    assert decide(*GOOD, opted_out=True) == Verdict(False, Reason.OPTED_OUT)
    assert decide(*GOOD, opted_out=True, do_not_call=True).reason is Reason.DO_NOT_CALL
    assert decide(replace(NUMBER, emergency=True), *GOOD[1:], opted_out=True).reason is Reason.EMERGENCY


@pytest.mark.covers("P5", "L4")
def test_the_hour_is_against_it_with_a_sentence_of_its_own() -> None:
    untimely = Untimely(Reason.CALLING_HOURS, "Call from Thursday 26 November, 08:00 on.", 5, "hours.US-FL")
    verdict = decide(*GOOD, untimely=untimely)
    assert (verdict.allowed, verdict.reason, verdict.sentence) == (False, untimely.reason, untimely.sentence)
    assert decide(*GOOD, do_not_call=True, untimely=untimely).sentence == SENTENCES[Reason.DO_NOT_CALL]
    assert decide(replace(NUMBER, emergency=True), *GOOD[1:], untimely=untimely).reason is Reason.EMERGENCY


@pytest.mark.covers("P5", "V6")
def test_nothing_against_it_means_allowed_with_the_users_own_number() -> None:
    assert decide(*GOOD) == Verdict(True, Reason.ALLOWED, caller_id=DID)
    assert decide(*GOOD).cause is Cause.NORMAL


@pytest.mark.covers("P5")
def test_the_first_fact_in_order_is_the_one_that_is_named() -> None:
    facts = {
        "destination": Destination("+19005550150", "US", "premium"),
        "caller": Caller(active=False, may_call=False),
        "policy": Policy(max_concurrent=0),
        "load": Load(overloaded=True, has_credit=False, trunk_free=False),
    }
    caller = facts["caller"]
    assert isinstance(caller, Caller)
    named = []
    for better in (caller, replace(caller, active=True), Caller(), Caller(did=DID)):
        named.append(decide(**{**facts, "caller": better}, do_not_call=True).reason)  # type: ignore[arg-type]
    assert named == [Reason.USER_INACTIVE, Reason.NO_RIGHT, Reason.NO_NUMBER, Reason.PREMIUM]
    plain = {**facts, "caller": Caller(did=DID), "destination": NUMBER}
    assert decide(**plain, do_not_call=True).reason is Reason.DO_NOT_CALL  # type: ignore[arg-type]
    assert decide(**plain).reason is Reason.OVERLOADED  # type: ignore[arg-type]


prefixes = st.lists(st.sampled_from(["+1", "+1900", "+1206", "+120655", "+870", "+44", "+"]), max_size=3).map(tuple)
numbers = st.sampled_from(["+19005550150", "+12065550150", "+870773000000", "+442079460000", ""])
destinations = st.builds(
    Destination, numbers, st.sampled_from(["US", "GB", ""]), st.sampled_from(["premium", "satellite", "mobile"])
)
countries = st.frozensets(st.sampled_from(["US", "GB"]))
policies = st.builds(Policy, countries, countries, prefixes, prefixes, st.none() | st.integers(0, 3), st.none())
callers = st.builds(
    Caller,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", DID]),
    st.booleans(),
    st.integers(0, 4),
    st.none() | st.integers(0, 4),
    st.integers(0, 9),
    st.none() | st.integers(0, 9),
)
loads = st.builds(Load, st.integers(0, 4), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())


@pytest.mark.covers("P5", "TRUST24")
@given(destinations, callers, policies, loads, st.booleans())
def test_an_emergency_number_passes_whatever_the_facts(
    destination: Destination, caller: Caller, policy: Policy, load: Load, listed: bool
) -> None:
    verdict = decide(replace(destination, emergency=True), caller, policy, load, do_not_call=listed)
    assert verdict == Verdict(True, Reason.EMERGENCY, caller_id=caller.did)


@pytest.mark.covers("P5", "TRUST18")
@given(destinations, callers, policies, loads, st.booleans())
def test_no_dear_or_denied_number_passes_unless_its_prefix_is_allowed(
    destination: Destination, caller: Caller, policy: Policy, load: Load, listed: bool
) -> None:
    verdict = decide(destination, caller, policy, load, do_not_call=listed)
    if not verdict.allowed:
        assert verdict.caller_id == "" and verdict.reason not in (Reason.ALLOWED, Reason.EMERGENCY)
        return
    number = destination.e164
    allowed = [prefix for prefix in policy.allow_prefixes if number.startswith(prefix)]
    denied = [prefix for prefix in policy.deny_prefixes if number.startswith(prefix)]
    assert number and not listed
    assert allowed or destination.kind not in ("premium", "satellite")
    assert allowed or destination.country not in policy.deny_countries
    assert not denied or max(map(len, allowed), default=0) > max(map(len, denied))
    assert caller.max_concurrent is None or caller.concurrent < caller.max_concurrent
    assert policy.max_concurrent is None or load.concurrent < policy.max_concurrent
    assert caller.active and caller.may_call and caller.did and load.has_credit and load.trunk_free
