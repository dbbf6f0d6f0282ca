"""The words by which people stop texts, ask for help and start again (T7), in all languages at once."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm.law.rules import Rule

KINDS = ("stop", "start", "help")
"""In case of doubt a word stops: where two languages have it with two meanings, the first of these holds."""
_LONGEST = 60
_SKIPPED = frozenset(string.punctuation + "。、．，！？「」『』“”‘’…・～")


@dataclass(frozen=True, slots=True)
class Word:
    """What a text asks for. ``reply`` is what is answered, with ``{organisation}`` in it."""

    kind: str
    language: str
    reply: str


def fold(text: str) -> str:
    """Case, width, accents, punctuation and blanks do not matter; nor do half-width kana."""
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text[:_LONGEST]).casefold())
    kept = (each for each in letters if each not in _SKIPPED and not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", "".join("".join(kept).split()))


def table(rules: Iterable[Rule]) -> Mapping[str, Word]:
    """Folded word to what it means; English first, where languages share a word."""
    found: dict[str, Word] = {}
    ordered = sorted(rules, key=lambda rule: (rule.place != "en", rule.place))
    for kind in KINDS:
        for rule in ordered:
            for word in rule.value[kind]:
                found.setdefault(fold(word), Word(kind, rule.place, rule.value[f"{kind}_reply"]))
    return found


def find(words: Mapping[str, Word], text: str) -> Word | None:
    """None for a text that says more than one of the words."""
    return words.get(fold(text)) if len(text) <= _LONGEST else None
