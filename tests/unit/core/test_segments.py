"""Segments as 3GPP TS 23.038 and 23.040 count them (T3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.core.messaging.segments import BASIC, EXTENSION, Encoding, count, encoding_of, plain, split

ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=600)
GSM = st.text(st.sampled_from(BASIC + EXTENSION), max_size=600)


def test_the_alphabet_has_the_127_characters_of_the_basic_table_and_the_ten_of_the_extension() -> None:
    assert len(set(BASIC)) == len(BASIC) == 127 and len(set(EXTENSION)) == len(EXTENSION) == 10
    assert not set(BASIC) & set(EXTENSION)


@pytest.mark.covers("T3")
@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments", "left"),
    [
        ("", "gsm7", 0, 0, 160),
        ("a" * 160, "gsm7", 160, 1, 0),
        ("a" * 161, "gsm7", 161, 2, 145),
        ("a" * 306, "gsm7", 306, 2, 0),
        ("a" * 307, "gsm7", 307, 3, 152),
        ("€" * 80, "gsm7", 160, 1, 0),
        ("a" * 152 + "€" + "a" * 8, "gsm7", 162, 2, 143),  # the euro is not cut after its escape
        ("あ" * 70, "ucs2", 70, 1, 0),
        ("あ" * 71, "ucs2", 71, 2, 63),
        ("👋" * 35, "ucs2", 70, 1, 0),
        ("あ" * 66 + "👋" + "あ" * 3, "ucs2", 71, 2, 62),  # the hand is not cut in half
        ("ç", "ucs2", 1, 1, 69),
        ("ÀÇàè", "ucs2", 4, 1, 66),
    ],
)
def test_segments_are_counted_as_the_standard_counts(
    text: str, encoding: str, units: int, segments: int, left: int
) -> None:
    found = count(text)
    assert (found.encoding, found.units, found.segments, found.left) == (encoding, units, segments, left)


@pytest.mark.covers("T3")
@given(ANY | GSM)
def test_the_parts_make_the_whole_text_and_none_is_too_long(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == max(count(text).segments, 1)
    alone = len(parts) == 1
    for part in parts:
        if encoding_of(text) is Encoding.GSM7:
            assert sum(2 if each in EXTENSION else 1 for each in part) <= (160 if alone else 153)
        else:
            assert len(part.encode("utf-16-be")) // 2 <= (70 if alone else 67)


@given(ANY | GSM)
def test_no_part_could_have_taken_one_more_character(text: str) -> None:
    parts = split(text)
    for part, following in pairwise(parts):
        joined = part + following[0]
        if encoding_of(text) is Encoding.GSM7:
            assert sum(2 if each in EXTENSION else 1 for each in joined) > 153
        else:
            assert len(joined.encode("utf-16-be")) // 2 > 67


@pytest.mark.covers("T3")
def test_a_curly_quote_that_doubles_the_cost_is_named_with_what_to_write_instead() -> None:
    text = "It’s " + "x" * 100
    hint = count(text).hint
    assert hint is not None and (hint.characters, hint.segments) == (("’",), 1)
    assert hint.plain == "It's " + "x" * 100 and count(text).segments == 2


@pytest.mark.parametrize("text", ["It’s", "It’s こんにちは" + "x" * 100, "plain " * 40])
def test_nobody_is_bothered_where_it_would_not_be_cheaper(text: str) -> None:
    assert count(text).hint is None


@given(ANY)
def test_a_hint_is_always_cheaper_and_of_the_seven_bit_alphabet(text: str) -> None:
    hint = count(text).hint
    if hint is not None:
        assert hint.plain == plain(text) and encoding_of(hint.plain) is Encoding.GSM7
        assert hint.segments == max(count(hint.plain).segments, 1) < count(text).segments
