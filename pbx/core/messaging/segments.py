"""How many segments a text takes: 3GPP TS 23.038 (the 7-bit alphabet and its extension table, UCS-2) and TS 23.040
(concatenated messages, whose header takes 7 septets or 3 UCS-2 units of each).

A character of the extension table takes two septets, one beyond the basic plane two units of UCS-2; neither is ever cut
between two segments, as half of it would be shown as another character or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
_SEPTETS = dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENSION, 2)

PLAIN: dict[str, str] = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u205f", " "),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    "…": "...",
    "•": "-",
    "™": "TM",
    "⁄": "/",
}
"""What word processors and phones put in by themselves, and what means the same in the 7-bit alphabet."""


class Encoding(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Hint:
    """These characters alone make the text dearer; ``plain`` says the same without them, in ``segments``."""

    characters: tuple[str, ...]
    plain: str
    segments: int


@dataclass(frozen=True, slots=True)
class Count:
    """``units`` are septets or units of UCS-2; ``left`` fit into the last segment still."""

    encoding: Encoding
    characters: int
    units: int
    segments: int
    per_segment: int
    left: int
    hint: Hint | None = None


def encoding_of(text: str) -> Encoding:
    return Encoding.GSM7 if all(character in _SEPTETS for character in text) else Encoding.UCS2


def split(text: str) -> list[str]:
    """The text of each segment; one, empty, for an empty text."""
    cost = _cost(encoding_of(text))
    if sum(map(cost, text)) <= _ALONE[encoding_of(text)]:
        return [text]
    longest, parts, used = _JOINED[encoding_of(text)], [""], 0
    for character in text:
        if used + cost(character) > longest:
            parts.append("")
            used = 0
        parts[-1] += character
        used += cost(character)
    return parts


def count(text: str) -> Count:
    encoding = encoding_of(text)
    cost, parts = _cost(encoding), split(text)
    each = _ALONE[encoding] if len(parts) == 1 else _JOINED[encoding]
    return Count(
        encoding,
        characters=len(text),
        units=sum(map(cost, text)),
        segments=len(parts) if text else 0,
        per_segment=each,
        left=each - sum(map(cost, parts[-1])),
        hint=_hint(text, len(parts)) if encoding is Encoding.UCS2 else None,
    )


def plain(text: str) -> str:
    """With every character of which something in the 7-bit alphabet means the same replaced by that."""
    return "".join(character if character in _SEPTETS else PLAIN.get(character, character) for character in text)


def _hint(text: str, segments: int) -> Hint | None:
    """Only where the replacements make it cheaper: nobody wants to be bothered for nothing."""
    said = plain(text)
    if encoding_of(said) is not Encoding.GSM7 or len(split(said)) >= segments:
        return None
    odd = dict.fromkeys(character for character in text if character not in _SEPTETS)
    return Hint(tuple(odd), said, len(split(said)))


def _cost(encoding: Encoding) -> Callable[[str], int]:
    if encoding is Encoding.GSM7:
        return lambda character: _SEPTETS[character]
    return lambda character: 1 + (ord(character) > 0xFFFF)
