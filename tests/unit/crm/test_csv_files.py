"""CSV files: how they are written is found out, and no cell becomes a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import csv_files
from crm.services.import_mapping import columns


@pytest.mark.covers("A6")
@given(st.text())
def test_guarding_is_undone_by_reading(cell: str) -> None:
    assert csv_files.unguard(csv_files.guard(cell)) == cell


@pytest.mark.covers("A6", "TRUST17")
@given(st.text(max_size=10), st.sampled_from("=+-@\t\r"))
def test_no_cell_that_begins_like_a_formula_leaves_unguarded(rest: str, first: str) -> None:
    guarded = csv_files.guard(first + rest)
    assert guarded.startswith("'") or guarded.lstrip("+-").replace(".", "").replace(",", "").isdigit()


@pytest.mark.covers("A6")
def test_a_number_in_e164_stays_as_it_is() -> None:
    assert csv_files.guard("+81312345678") == "+81312345678"
    assert csv_files.guard("+81312345678+cmd") == "'+81312345678+cmd"


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20)))
def test_a_row_is_read_as_it_was_written(cells: list[str]) -> None:
    read = next(csv.reader(io.StringIO(csv_files.row(cells), newline="")), [])
    assert [csv_files.unguard(cell) for cell in read] == cells or not cells


@pytest.mark.parametrize("delimiter", csv_files.DELIMITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes((delimiter.join(["氏名", "電話番号"]) + "\r\n田中太郎").encode(encoding))
    form = csv_files.form(path)
    assert (form.delimiter, form.header) == (delimiter, ("氏名", "電話番号"))


def test_a_quotation_mark_that_is_never_closed_spoils_one_row_and_says_where() -> None:
    text = 'name\nAnn\n"Bob\n' + "x" * 140_000 + "\nEve\n"
    found = list(csv_files.lines(io.StringIO(text, newline=""), ","))
    assert [line.cells for line in found if not line.problem] == [("Ann",), ("Eve",)]
    assert [line.number for line in found if line.problem] == [3]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["Full Name", "E-Mail Address", "Cell Phone"], ["name", "email", "mobile"]),
        (
            ["姓", "名", "会社名", "携帯電話", "郵便番号"],
            ["family_name", "given_name", "company", "mobile", "postcode"],
        ),
        (["first_name", "LAST NAME", "Zip Code"], ["given_name", "family_name", "postcode"]),
        (["Name", "name", "Colour"], ["name", None, None]),
    ],
)
@pytest.mark.covers("A6")
def test_columns_are_known_by_their_names(header: list[str], expected: list[str | None]) -> None:
    assert columns(header, None, "lead") == expected
