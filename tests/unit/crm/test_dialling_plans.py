"""Numbers of a country, judged by POSIX regular expressions as by the library that they come from."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from crm.dialling_plans import DiallingPlan, dialling_plan

PREMIUM = PhoneNumberType.PREMIUM_RATE


def may_be_called(plan: DiallingPlan, national: str) -> bool:
    """As the dialplan reads it."""
    if plan.premium and re.fullmatch(plan.premium, national):
        return False
    return any(re.fullmatch(kind, national) for kind in plan.kinds)


@pytest.mark.covers("P5", "TRUST18")
@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_what_exists_may_be_called_but_for_what_is_dear(country: str) -> None:
    plan = dialling_plan(country)
    assert plan is not None and not re.search(r"\\|\?:", " ".join([*plan.kinds, plan.premium]))
    for kind in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(country, kind)
        if example is not None and phonenumbers.is_valid_number_for_region(example, country):
            national = phonenumbers.national_significant_number(example)
            assert may_be_called(plan, national) is (phonenumbers.number_type(example) != PREMIUM), (kind, national)


@pytest.mark.parametrize(
    ("country", "national", "may"),
    [
        ("US", "2065550142", True),
        ("US", "9005550142", False),  # premium
        ("US", "4165550142", False),  # Canada, under the same code
        ("US", "8765550142", False),  # Jamaica, likewise
        ("US", "5550142", False),
        ("JP", "312345678", True),
        ("JP", "990123456", False),
        ("GB", "9098790000", False),
    ],
)
def test_neighbours_and_premium_numbers_under_the_same_code_are_told_apart(
    country: str, national: str, may: bool
) -> None:
    plan = dialling_plan(country)
    assert plan is not None and may_be_called(plan, national) is may


def test_prefixes_are_those_that_are_always_dialled() -> None:
    us, jp, it, tw = (dialling_plan(country) for country in ("US", "JP", "IT", "TW"))
    assert us and jp and it and tw
    assert (us.code, us.international, us.national) == ("1", "011", "1")
    assert (jp.code, jp.international, jp.national) == ("81", "010", "0")
    assert (it.national, tw.international) == ("", ""), "of several ways out none is the one"
    assert dialling_plan("ZZ") is None
