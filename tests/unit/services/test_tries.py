"""When wrong tries are an attack, and when they are an office with one phone that mistypes (TRUST 16)."""

from __future__ import annotations

import pytest

from pbx.services.tries import FLOOD, KNOWN_FOR_US, MOST_WRONG_A_MINUTE, REMEMBERED, Tries

pytestmark = pytest.mark.covers("TRUST16")

S = 1_000_000
HERE = "192.0.2.7"


def test_a_stranger_is_blocked_with_the_fifth_wrong_password_and_not_before() -> None:
    tries = Tries()
    assert [tries.wrong(HERE, "d1", at * S) for at in range(5)] == [False] * 4 + [True]


def test_a_challenge_that_nobody_answers_is_a_try_and_one_that_is_answered_is_none() -> None:
    tries = Tries()
    for at in range(5):
        tries.challenged(HERE, "d1", at * S)
    assert tries.overdue(9 * S - 1) == []
    assert tries.overdue(9 * S) == [HERE]
    answered = Tries()
    for at in range(20):
        answered.challenged(HERE, f"d{at}", at)
        answered.right(HERE, f"d{at}", at + 1)
    assert answered.overdue(10 * S) == []


def test_a_challenge_that_is_answered_wrongly_counts_once() -> None:
    tries = Tries()
    for at in range(4):
        tries.challenged(HERE, "d1", at)
        assert not tries.wrong(HERE, "d1", at)
    assert tries.overdue(10 * S) == []


def test_tries_that_are_long_ago_are_forgotten() -> None:
    tries = Tries()
    assert not any(tries.wrong(HERE, "d1", at * 200 * S) for at in range(20))


def test_in_an_office_one_phone_may_mistype_for_ever_and_ask_options_for_ever() -> None:
    tries = Tries()
    tries.right(HERE, "d1", 0)
    for at in range(1, 2000):
        assert not tries.wrong(HERE, "d2", at * S)
        tries.challenged(HERE, "d3", at * S)
        assert tries.overdue(at * S) == []


def test_an_office_that_guesses_at_many_accounts_or_faster_than_any_phone_is_blocked() -> None:
    many = Tries()
    many.right(HERE, "d1", 0)
    assert [many.wrong(HERE, f"d{at}", at * S) for at in range(2, 8)] == [False] * 5 + [True]
    fast = Tries()
    fast.right(HERE, "d1", 0)
    blocked = [fast.wrong(HERE, "d2", at) for at in range(1, MOST_WRONG_A_MINUTE + 2)]
    assert blocked == [False] * MOST_WRONG_A_MINUTE + [True]


def test_an_office_whose_secrets_were_all_renewed_at_once_is_not_cut_off() -> None:
    tries = Tries()
    for number in range(30):
        tries.right(HERE, f"d{number}", 0)
    for at in range(1, 10):
        assert not any(tries.wrong(HERE, f"d{number}", at * 60 * S) for number in range(20))


def test_an_office_is_known_for_a_day() -> None:
    tries = Tries()
    tries.knows(HERE, "d1", 0)
    assert tries.known(HERE, KNOWN_FOR_US - 1) and not tries.known(HERE, KNOWN_FOR_US)


def test_a_flood_is_blocked_wherever_it_comes_from() -> None:
    tries = Tries()
    tries.right(HERE, "d1", 0)
    assert [tries.challenged(HERE, "d2", at) for at in range(FLOOD)] == [False] * (FLOOD - 1) + [True]


def test_a_hundred_phones_that_start_together_are_no_flood() -> None:
    tries = Tries()
    assert not any(tries.challenged(HERE, f"d{number}", 0) for number in range(100))
    for number in range(100):
        tries.right(HERE, f"d{number}", S)
    assert tries.overdue(10 * S) == []


def test_the_memory_does_not_grow_with_the_number_of_attackers() -> None:
    tries = Tries()
    for number in range(REMEMBERED + 100):
        tries.challenged(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "d1", 0)
    assert len(tries._sources) == REMEMBERED
    tries.overdue(10 * S)
    tries.overdue(2000 * S)
    assert len(tries._sources) == 0
