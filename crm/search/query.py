"""What a typed text asks for. Pure.

A query is a list of conditions that must all hold; a condition is a choice of alternatives, and an alternative a
tuple of texts that must all stand in a record's body (see :mod:`crm.search.text`). No text is shorter than a trigram.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from crm.phone_numbers import search_digits
from crm.search.text import GAP, MARK, is_run, words

LONGEST = 200
MOST_TERMS = 8
WHOLE_NUMBER = 7
"""From so many digits on it is a telephone number (or a postcode) that is typed, and no number of a house."""
_NUMBER_LIKE = re.compile(r"[\s()\[\].,/+・~‐‑‒–—―−ー-]*")
_ABROAD = ("00", "011", "010")  # how international numbers begin when dialled, in most countries, the US, Japan

Condition = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """``names``, ``starts`` and ``inside`` are the same terms, each asked more widely than the one before.

    ``terms`` are the folded words. ``digits`` is set when the whole text may be a number, ``international`` when it
    was written as one: then they are the digits after the plus.
    """

    text: str
    terms: tuple[str, ...]
    names: tuple[Condition, ...]
    starts: tuple[Condition, ...]
    inside: tuple[Condition, ...]
    digits: str
    international: str


def read(text: str) -> Query:
    """Read any text; one that holds nothing to look for gives a query without terms."""
    text = unicodedata.normalize("NFKC", text[:LONGEST]).strip()
    digits = search_digits(text) if _is_number_like(text) else ""
    if digits:
        anywhere = (_number_condition(text),)
        return Query(text, (digits,), (_name(digits),), anywhere, anywhere, digits, _international(text, digits))
    parts = [part for part in text.split() if words(part)][:MOST_TERMS]
    terms = tuple(word for part in parts for word in words(part))[:MOST_TERMS]
    return Query(
        text,
        terms,
        tuple(map(_name, terms)),
        tuple(condition for part in parts for condition in _conditions(part, inside=False)),
        tuple(condition for part in parts for condition in _conditions(part, inside=True)),
        "",
        "",
    )


def _conditions(part: str, *, inside: bool) -> list[Condition]:
    if _is_number_like(part) and search_digits(part):
        return [_number_condition(part)]
    return [(_anywhere(word, inside=inside),) for word in words(part)]


def _number_condition(text: str) -> Condition:
    """Its digits as one number, or, where they are too few for one, its parts each for itself, as in "1-2-3"."""
    digits = search_digits(text)
    whole = _anywhere(_international(text, digits) or digits, inside=True)
    parts = tuple(pattern for word in words(text)[:MOST_TERMS] for pattern in _anywhere(word, inside=False))
    return (whole,) if len(parts) < 2 or len(digits) >= WHOLE_NUMBER else (whole, parts)


def _name(word: str) -> Condition:
    return ((f" {MARK}{word}",),)


def _anywhere(word: str, *, inside: bool) -> tuple[str, ...]:
    if len(word) >= 3 and (inside or is_run(word)):
        return (word,)
    return (GAP + word,)


def _is_number_like(text: str) -> bool:
    return _NUMBER_LIKE.fullmatch("".join(c for c in text if unicodedata.category(c) != "Nd")) is not None


def _international(text: str, digits: str) -> str:
    if text.startswith("+"):
        return search_digits(text.replace("(0)", ""))
    for prefix in _ABROAD:
        if digits.startswith(prefix) and len(digits) > len(prefix):
            return digits[len(prefix) :]
    return ""


def grams(texts: tuple[str, ...]) -> list[str]:
    """The trigrams that an index is asked for: every third and the last one. They cover the texts, and each more is one
    more list to walk. (Fewer still cost more: each body looked at in vain costs more than the list.)"""
    found: dict[str, None] = {}
    for wanted in texts:
        # the first trigram of a longer word's beginning says less than the second one and is in far more bodies
        first, last = 1 if wanted.startswith(" ") and len(wanted) > 3 else 0, len(wanted) - 3
        found.update(dict.fromkeys(wanted[at : at + 3] for at in (*range(first, last, 3), last)))
    return list(found)
