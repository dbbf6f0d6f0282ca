"""Folding, words and queries: pure, so held for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.search.query import MOST_TERMS, read
from crm.search.sqlite import expression
from crm.search.text import GAP, body, fold, marked_words, name_words, words


@pytest.mark.covers("V2")
@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("MÜLLER", "muller"),
        ("Łukasz", "łukasz"),
        ("ｶﾞｰﾄﾞ", "ガード"),
        ("がぎ", "がぎ"),
        ("Ｔａｎａｋａ", "tanaka"),
        ("O’Brien", "obrien"),
        ("Straße", "strasse"),
    ],
)
def test_width_case_and_accents_fold_and_kana_stay(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)


@given(st.lists(st.text(max_size=20), max_size=4), st.lists(st.text(max_size=30), max_size=4))
def test_a_body_gives_its_names_back(names: list[str], others: list[str]) -> None:
    assert marked_words(body(names, others, ["0312345678"])) == name_words(names)


@pytest.mark.covers("V2")
@given(st.text(alphabet="abcあい田中éÄ '-", min_size=1, max_size=20), st.data())
def test_every_beginning_of_a_word_and_every_part_of_a_run_is_in_the_body(text: str, data: st.DataObject) -> None:
    found = body([], [text], [])
    for word in words(text):
        start = word[: data.draw(st.integers(1, len(word)))]
        for conditions in (read(start).starts, read(start).inside):
            assert all(any(all(part in found for part in option) for option in choice) for choice in conditions)


@given(st.text(max_size=300))
def test_any_text_makes_a_query_of_trigrams_at_least(text: str) -> None:
    query = read(text)
    assert len(query.names) <= MOST_TERMS
    for conditions in (query.names, query.starts, query.inside):
        for choice in conditions:
            assert all(len(part) >= 3 for option in choice for part in option)
        if conditions:
            assert "()" not in expression(conditions)


@pytest.mark.covers("V2")
@pytest.mark.parametrize(
    ("text", "digits", "international"),
    [
        ("0312", "0312", ""),
        ("+81 3-12", "81312", "81312"),
        ("０３ー１２", "0312", ""),
        ("+81 (0)3 12", "810312", "81312"),
        ("011 81 3", "011813", "813"),
        ("tanaka 03", "", ""),
        ("-", "", ""),
    ],
)
def test_what_may_be_a_number_is_read_as_one(text: str, digits: str, international: str) -> None:
    query = read(text)
    assert (query.digits, query.international) == (digits, international)


def test_words_are_set_apart_by_gaps() -> None:
    assert body(["Ann"], ["田中"], []) == f"{GAP}ŋann{GAP}ann{GAP}田中{GAP}中{GAP}"
