"""Numbers in any notation become E.164, and nothing else becomes a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import phone_numbers
from crm.errors import Refused
from tests.support.hostile import HOSTILE_NUMBERS


@pytest.mark.covers("N1")
@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        ("+1 415 555 0101", "JP", "+14155550101"),
        ("(415) 555-0101", "US", "+14155550101"),
        ("1-415-555-0101", "US", "+14155550101"),
        ("tel:+1-415-555-0101", "US", "+14155550101"),
        ("03-1234-5678", "JP", "+81312345678"),
        ("０９０－１２３４－５６７８", "JP", "+819012345678"),
        ("+81 (0)3 1234 5678", "US", "+81312345678"),
        ("0081 3 1234 5678", "DE", "+81312345678"),
        ("011 81 3 1234 5678", "US", "+81312345678"),
        ("٠٢٠ ٧٩٤٦ ٠٩٥٨", "GB", "+442079460958"),
    ],
)
def test_any_notation_is_read_as_the_same_number(raw: str, country: str, e164: str) -> None:
    assert phone_numbers.parse(raw, country).e164 == e164


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("raw", HOSTILE_NUMBERS)
@pytest.mark.parametrize("country", ["US", "JP", "ZZ"])
def test_what_is_no_number_is_refused_with_a_sentence(raw: str, country: str) -> None:
    with pytest.raises(Refused) as refused:
        phone_numbers.parse(raw, country)
    assert refused.value.code == "invalid_number"
    assert refused.value.message.endswith((".", "?")) and refused.value.message.isprintable()


@pytest.mark.covers("TRUST17")
@given(st.text(max_size=60), st.sampled_from(["US", "JP", "GB", "ZZ"]))
def test_whatever_the_text_the_answer_is_e164_or_a_refusal(raw: str, country: str) -> None:
    try:
        number = phone_numbers.parse(raw, country)
    except Refused:
        return
    assert number.e164[0] == "+" and number.e164[1:].isascii() and number.e164[1:].isdigit()
    assert phone_numbers.parse(number.e164, "ZZ").e164 == number.e164


@pytest.mark.covers("P5")
@pytest.mark.parametrize(
    ("e164", "country", "kind"),
    [
        ("+19005550100", "US", "premium"),
        ("+8821234567890", "001", "satellite"),
        ("+870773100000", "001", "satellite"),
        ("+819012345678", "JP", "mobile"),
        ("+442079460958", "GB", "fixed"),
        ("+18005550199", "US", "toll_free"),
        ("+14155550101", "US", "fixed_or_mobile"),
    ],
)
def test_country_and_kind_follow_from_the_number(e164: str, country: str, kind: str) -> None:
    described = phone_numbers.describe(e164)
    assert (described.country, described.kind) == (country, kind)


def test_national_notation_of_another_country_is_refused_rather_than_guessed() -> None:
    with pytest.raises(Refused, match="not a number of the country US"):
        phone_numbers.parse("03-1234-5678", "US")


def test_a_number_of_a_range_that_no_table_knows_yet_is_taken_with_its_country_code() -> None:
    assert not phone_numbers.parse("+12225550100", "US").valid


def test_the_same_digits_are_found_in_every_notation() -> None:
    assert phone_numbers.variants("+81312345678") == ("81312345678", "0312345678", "312345678")
    assert phone_numbers.search_digits("+81 3-12") == "81312"
    assert phone_numbers.display("+81312345678", "JP") == "03-1234-5678"
    assert phone_numbers.display("+81312345678", "US") == "+81 3-1234-5678"
    assert phone_numbers.national_digits("+442079460958") == "02079460958"
    assert phone_numbers.time_zones("+81312345678") == ("Asia/Tokyo",)
