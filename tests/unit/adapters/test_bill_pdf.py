"""A bill on paper: Japanese is embedded where the system has a font for it, and set all the same where it has none."""

from __future__ import annotations

from pathlib import Path

import pytest
import reportlab

from crm.billing import Bill, BillLine
from pbx.adapters import paper_fonts
from pbx.adapters.bill_pdf import Look, page
from pbx.config import Config
from pbx.supervisor import doctor

LATIN_ONLY = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
USERS = (BillLine("u_mio", "call", 3, 240, 1_500_000), BillLine("", "text", 1, 2, 20_000))
BILL = Bill(
    *("2026-11", 0, 1, "Asia/Tokyo", "JPY", 10_000_000, 0, 0, 1_500_000, 20_000, 8_480_000, 4),
    users=USERS,
    destinations=USERS,
    directions=(BillLine("outbound", "call", 3, 240, 1_500_000), BillLine("text", "text", 1, 2, 20_000)),
)


def printed(font: Path | None) -> bytes:
    return page(BILL, [], {"u_mio": "山田 澪"}, "株式会社サクラ", Look("ja", font), "JP")


@pytest.mark.covers("R2", "A7")
def test_letters_of_a_font_of_the_system_are_embedded_and_no_more_than_are_used() -> None:
    font = paper_fonts.choose("").file
    if font is None:
        pytest.skip("no font with Japanese is installed")
    made = printed(font)
    assert b"/FontFile2" in made and b"HeiseiKakuGo" not in made
    assert len(made) < font.stat().st_size / 10


@pytest.mark.covers("R2", "A7")
def test_where_there_is_no_font_the_readers_own_is_named() -> None:
    made = printed(None)
    assert b"HeiseiKakuGo-W5" in made and b"/FontFile2" not in made


@pytest.mark.parametrize(
    ("file", "why"),
    [(LATIN_ONLY, "no Japanese letters"), (Path("/nowhere.ttf"), "not there"), (Path(__file__), "no TrueType font")],
)
def test_a_font_that_cannot_be_used_is_told_and_bills_are_printed_without_it(
    file: Path, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_fonts, "KNOWN", ())
    found = paper_fonts.choose(str(file))
    assert found.file is None and why in found.problem
    told = doctor._paper(Config(home=tmp_path, cache=tmp_path, paper_font=str(file)))
    assert told.state == "warn" and why in told.message and "paper_font" in told.remedy


@pytest.mark.covers("A3")
def test_the_doctor_says_which_font_bills_are_set_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(home=tmp_path, cache=tmp_path)
    if (font := paper_fonts.choose("").file) is not None:
        assert str(font) in doctor._paper(config).sentence
    monkeypatch.setattr(paper_fonts, "KNOWN", ())
    assert paper_fonts.PACKAGE in doctor._paper(config).sentence
