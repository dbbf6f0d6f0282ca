"""Numbers as people write them, beside those that machines compare."""

from __future__ import annotations

import time

from crm import phone_numbers
from pbx.services.displays import with_displays

CALL = {"id": "c_1", "customer_number": "+81312345678", "did": "+14155550101", "legs": [{"number": "+81312345678"}]}


def test_numbers_of_ones_own_country_are_written_as_at_home() -> None:
    at_home, abroad = with_displays(CALL, "JP"), with_displays(CALL, "US")
    assert (at_home["customer_display"], at_home["did_display"]) == ("03-1234-5678", "+1 415-555-0101")
    assert (abroad["customer_display"], abroad["did_display"]) == ("+81 3-1234-5678", "(415) 555-0101")
    assert abroad["legs"] == [{"number": "+81312345678", "display": "+81 3-1234-5678"}]


def test_what_is_no_number_is_shown_as_it_is() -> None:
    for odd in ("110", "anonymous", "", "d7k2", "+999", None):
        assert with_displays({"customer_number": odd}, "US")["customer_display"] == odd
    assert with_displays({"number": 3}, "US") == {"number": 3}


def test_what_was_noted_is_shown_as_it_was() -> None:
    noted = {"data": {"number": "+14155550101"}, "after": {"e164": "+14155550101"}}
    assert with_displays(noted, "US") == noted


def test_a_number_that_was_written_before_costs_next_to_nothing() -> None:
    phone_numbers.display("+14155550101", "US")
    began = time.process_time()
    for _ in range(10_000):
        phone_numbers.display("+14155550101", "US")
    assert (time.process_time() - began) / 10_000 < 2e-6
