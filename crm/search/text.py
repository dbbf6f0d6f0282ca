"""How text is made searchable, the same for records and queries. Pure.

Folding: NFKC (full and half width are one), case, and the accents of Latin letters ("Jürgen" is found by "jurgen");
kana stay as written, and Japanese voicing marks are no accents. Apostrophes join: "O'Brien" is one word.

The body of a record is a list of words with two spaces around each, which a trigram index answers for words of any
length: ``"  m"`` is "a word begins with m", ``" ma"`` "with ma". Text in a script without spaces is a run; as every
place in it may begin a word, the run stands there whole and, for queries of one or two characters, as its pairs. The
words of names stand there once more behind :data:`MARK`, so that "a word of the name begins with" is a trigram too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

MARK = "ŋ"
GAP = "  "
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\u0e00-\u0e7f"
)  # kana, kanji, Thai
_WORD = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_RUN = re.compile(f"[{_UNSPACED}]")
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´‘")
_LATIN_END = "\u0370"


def fold(text: str) -> str:
    """The form in which texts are compared."""
    if text.isascii():
        return text.lower().translate(_APOSTROPHES)
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    return unicodedata.normalize("NFC", "".join(_without_accents(unicodedata.normalize("NFD", text))))


def _without_accents(decomposed: str) -> Iterator[str]:
    base = ""
    for character in decomposed:
        if not unicodedata.combining(character):
            base = character
        elif base < _LATIN_END:
            continue
        yield character


def words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def is_run(word: str) -> bool:
    """Whether the word is of a script that writes no spaces."""
    return _RUN.match(word) is not None


def name_words(names: Iterable[str]) -> list[str]:
    """The words that a name may be looked up by; neighbours without spaces also joined: 田中 太郎 is 田中太郎."""
    found: dict[str, None] = {}
    for name in names:
        parts = words(name)
        found.update(dict.fromkeys(parts))
        joined = "".join(parts)
        if len(parts) > 1 and all(map(is_run, parts)):
            found[joined] = None
    return list(found)


def body(names: Sequence[str], others: Iterable[str], digits: Iterable[str]) -> str:
    """The text that is indexed for a record; ``digits`` are its numbers in every notation."""
    marked = name_words(names)
    found = dict.fromkeys(MARK + word for word in marked)
    for word in dict.fromkeys([*marked, *(word for text in others for word in words(text))]):
        found[word] = None
        if is_run(word):
            found.update(dict.fromkeys(word[at : at + 2] for at in range(len(word))))
    found.update(dict.fromkeys(digits))
    return GAP + GAP.join(found) + GAP


def marked_words(body_text: str) -> list[str]:
    """The words of the names, out of a body that :func:`body` made."""
    return [word[1:] for word in body_text.split(GAP) if word.startswith(MARK)]
