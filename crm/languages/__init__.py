"""What the engine says in other languages than English (A7).

Every sentence is written in English, where it arises; whoever reads it in another language gets it from the catalogue
`<language>.toml` of this folder, found by the English words themselves, with {1}, {2} … for what a sentence holds. So
nothing that refuses or reports has to know who will read it, and a language is added by adding a file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from crm.settings_registry import LANGUAGES

_SLOT = re.compile(r"\{(\d+)\}")
WRITTEN_IN = "en"
LONGEST = 2_000
"""No sentence of ours is longer; what somebody sent may be."""


class _Catalogue:
    def __init__(self, entries: Mapping[str, str]) -> None:
        self._exact = {english: text for english, text in entries.items() if not _SLOT.search(english)}
        with_slots = sorted(entries.keys() - self._exact.keys(), key=_certainty, reverse=True)
        self._patterns = [(_pattern(english), _quoted(english), entries[english]) for english in with_slots]

    def find(self, sentence: str) -> str | None:
        if (exact := self._exact.get(sentence)) is not None:
            return exact
        for pattern, quoted, text in self._patterns if len(sentence) <= LONGEST else ():
            if found := pattern.fullmatch(sentence):
                return self._filled(text, found.groups(), quoted)
        return None

    def _filled(self, text: str, held: tuple[str, ...], quoted: set[int]) -> str:
        """What is quoted is somebody's own words; the rest may be words or a sentence of ours again."""
        own = {place: each if place in quoted else (self.find(each) or each) for place, each in enumerate(held, 1)}
        return _SLOT.sub(lambda slot: own[int(slot[1])], text)


def _certainty(english: str) -> int:
    return len(_SLOT.sub("", english))


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in _SLOT.split(english)[::2]), re.DOTALL)


def _quoted(english: str) -> set[int]:
    return {int(place) for place in re.findall(r"“\{(\d+)\}”", english)}


@cache
def _catalogue(language: str) -> _Catalogue | None:
    file = resources.files(__name__) / f"{language}.toml"
    return _Catalogue(tomllib.loads(file.read_text("utf-8"))) if file.is_file() else None


def load() -> None:
    """Read every catalogue now, where it keeps nobody waiting."""
    for language in LANGUAGES:
        _catalogue(language)


def wished(accepted: str) -> str | None:
    """The first language of an Accept-Language header (RFC 9110, section 12.5.4) that we have; None: none of them."""
    for each in accepted.split(","):
        spoken = each.partition(";")[0].strip().lower()[:2]
        if spoken in LANGUAGES:
            return spoken
    return None


def reader_of(headers: Mapping[str, str]) -> str:
    """Who asks over HTTP reads this language."""
    return wished(headers.get("Accept-Language", "")) or WRITTEN_IN


def others(sentence: str) -> dict[str, str]:
    """The sentence in every language but the one it is written in, for what is told to many at once."""
    return {language: say(sentence, language) for language in LANGUAGES if language != WRITTEN_IN}


def say(sentence: str, language: str) -> str:
    """The sentence in this language; as it is where the catalogue has none for it."""
    catalogue = _catalogue(language)
    return (catalogue.find(sentence) if catalogue else None) or sentence


def knows(sentence: str, language: str) -> bool:
    catalogue = _catalogue(language)
    return catalogue is not None and catalogue.find(sentence) is not None
