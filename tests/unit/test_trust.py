"""The scoreboard: what was not measured is open, what failed does not hold, and every row stands in it once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import trust
from bench.figures import at_most, shown
from tests.support.features import LIST
from tests.support.trust import Measured, line


def test_every_row_has_its_promise() -> None:
    assert list(trust.promises(LIST.read_text())) == list(range(1, 25))


def test_a_row_holds_only_where_something_with_a_bound_was_measured_and_all_of_it_holds() -> None:
    good, bad = line(16, at_most("guesses", 5, "guesses", 6)), line(16, at_most("seconds", 9, "s", 1))
    assert trust.state([]) == "open"
    assert trust.state([line(16, shown("guesses", 5, "guesses"))]) == "open"
    assert trust.state([good]) == "holds"
    assert trust.state([good, bad]) == "DOES NOT HOLD"


def test_a_line_has_row_name_value_unit_bound_and_whether_it_holds() -> None:
    assert line(16, at_most("guesses", 5, "guesses", 6)) == {
        "row": 16,
        "name": "guesses",
        "value": 5,
        "unit": "guesses",
        "bound": "<= 6",
        "holds": True,
    }


def test_the_table_shows_all_rows_in_order() -> None:
    _, states = trust.table({1: "One", 2: "Two"}, [line(2, at_most("x", 1, "s", 2))])
    assert states == {1: "open", 2: "holds"}


def test_a_figure_that_does_not_hold_fails_its_test(measured: Measured) -> None:
    measured(at_most("fine", 1, "s", 2))
    with pytest.raises(AssertionError, match="not fine: 3 s, not <= 2"):
        measured(at_most("not fine", 3, "s", 2))


def test_a_figure_that_holds_for_one_store_does_not_hide_that_it_does_not_for_the_other(tmp_path: Path) -> None:
    (tmp_path / "test_stores.py").write_text(_FOR_TWO_STORES)
    out = tmp_path / "trust.jsonl"
    options = ["-p", "tests.support.trust", "-p", "no:cacheprovider", "-c", "/dev/null", "-q", "--trust", str(out)]
    subprocess.run([sys.executable, "-m", "pytest", *options, str(tmp_path)], check=False, capture_output=True)
    lines = [json.loads(text) for text in out.read_text().splitlines()]
    assert [(each["row"], each["value"], each["holds"]) for each in lines] == [(7, 3, False), (7, 1, True)]


_FOR_TWO_STORES = """
import pytest
from bench.figures import at_most

@pytest.mark.trust(7)
@pytest.mark.parametrize("value", [3, 1])
def test_it(value, measured):
    measured(at_most("seconds", value, "s", 2))
"""
