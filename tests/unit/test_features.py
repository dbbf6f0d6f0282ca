"""The list of the contract's lines, and the report made of it."""

from __future__ import annotations

import re
from collections import Counter

from tests.support.features import LIST, lines, missing, report


def test_every_line_of_the_contract_is_listed_once() -> None:
    numbers = list(lines(LIST.read_text()))
    rows = [row for row in LIST.read_text().splitlines() if row and not row.startswith("#")]
    assert len(numbers) == len(rows)
    letters = Counter(re.sub(r"\d+", "", number) for number in numbers)
    wanted = {"N": 6, "V": 15, "I": 9, "C": 13, "S": 8, "T": 8, "L": 5, "R": 4, "A": 8, "P": 5, "TRUST": 24}
    assert letters == wanted


def test_the_report_says_for_each_line_whether_it_is_covered_and_by_what() -> None:
    known = {"N1": "One number", "N2": "Calls and texts"}
    text = report(known, [("N1", "tests/a.py::test_one"), ("N1", "tests/b.py::test_two")])
    assert text.splitlines() == [
        "N1       covered  One number",
        "                  tests/a.py::test_one",
        "                  tests/b.py::test_two",
        "N2       open     Calls and texts",
        "",
        "1 of 2 lines are covered by tests.",
    ]


def test_a_line_of_which_a_part_is_missing_is_open_whatever_tests_it_has() -> None:
    lacking = missing("# still missing: N2 texts\n# else\n\nN2 Calls and texts\n")
    assert report({"N2": "Calls and texts"}, [("N2", "tests/a.py::test_one")], lacking).splitlines() == [
        "N2       open     Calls and texts",
        "                  still missing: texts",
        "                  tests/a.py::test_one",
        "",
        "0 of 1 lines are covered by tests.",
    ]
    assert set(missing(LIST.read_text())) <= set(lines(LIST.read_text()))
