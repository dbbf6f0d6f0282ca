"""What stands in SMPP 3.4 messages: alphabets, headers of parts (3GPP TS 23.040), receipts (SMPP 3.4, appendix B).

Pure: octets in, values out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pbx.core.messaging.segments import BASIC, EXTENSION, Encoding, encoding_of, split
from pbx.services.ports_texts import Delivery

ESCAPE = 0x1B
_BASIC = {character: code + (code >= ESCAPE) for code, character in enumerate(BASIC)}
_BY_CODE = {code: character for character, code in _BASIC.items()}
_EXTENSION = dict(zip(EXTENSION, (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), strict=True))
_BY_EXTENSION = {code: character for character, code in _EXTENSION.items()}

DEFAULT, IA5, LATIN_1, UCS_2 = 0, 1, 3, 8
HAS_HEADER = 0x40
IS_RECEIPT = 0x04
_KIND = 0x3C
_CHARSETS = {IA5: "ascii", LATIN_1: "latin-1", 5: "shift_jis", 6: "iso8859_5", 7: "iso8859_8", UCS_2: "utf-16-be"}

_RECEIPT = re.compile(
    rb"id:\s*(?P<id>[^\s]+).*?stat:\s*(?P<stat>[A-Za-z]+)(?:.*?err:\s*(?P<err>[^\s]+))?", re.DOTALL | re.IGNORECASE
)
_STATES = {
    "DELIVRD": Delivery.DELIVERED,
    "EXPIRED": Delivery.FAILED,
    "DELETED": Delivery.FAILED,
    "UNDELIV": Delivery.FAILED,
    "REJECTD": Delivery.FAILED,
    "ACCEPTD": Delivery.SENT,
    "ENROUTE": Delivery.SENT,
}
_BY_NUMBER = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_SENTENCES = {
    "EXPIRED": "The receiver's phone was off or out of reach for too long.",
    "DELETED": "The carrier deleted the text.",
    "UNDELIV": "The receiver's network could not deliver the text.",
    "REJECTD": "The carrier rejected the text.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One short message as it goes out."""

    coding: int
    esm_class: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One of several short messages that belong together."""

    reference: int
    total: int
    number: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    id: str
    state: Delivery | None
    code: str
    sentence: str


def pieces(body: str, message_id: str, latin: bool = False) -> list[Piece]:
    """A text in as many short messages as it takes. The reference that joins them is the same at every try.

    ``latin`` is for carriers whose default alphabet is not the 7-bit one.
    """
    texts = split(body)
    coding = UCS_2 if encoding_of(body) is Encoding.UCS2 else DEFAULT
    if latin and coding == DEFAULT:
        coding = LATIN_1 if all(ord(character) < 256 for character in body) else UCS_2
    octets = [_encoded(text, coding) for text in texts]
    if len(octets) == 1:
        return [Piece(coding, 0, octets[0])]
    reference = zlib.crc32(message_id.encode()) & 0xFF
    heads = [bytes((5, 0, 3, reference, len(octets), number)) for number in range(1, len(octets) + 1)]
    return [Piece(coding, HAS_HEADER, head + text) for head, text in zip(heads, octets, strict=True)]


def decoded(octets: bytes, coding: int, latin: bool = False) -> str:
    """What cannot be read is shown as such rather than lost."""
    if coding == DEFAULT and not latin:
        return _from_gsm(octets)
    charset = _CHARSETS.get(coding & 0x0F if coding < 0xF0 else DEFAULT, "latin-1")
    return octets.decode(charset, "replace")


def is_receipt(esm_class: int) -> bool:
    return esm_class & _KIND == IS_RECEIPT


def part_of(octets: bytes, esm_class: int) -> tuple[Part | None, bytes]:
    """The part, where a header says that it is one; and what stands after the header."""
    if not esm_class & HAS_HEADER or not octets:
        return None, octets
    head, rest = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
    at = 0
    while at + 2 <= len(head):
        kind, length = head[at], head[at + 1]
        value = head[at + 2 : at + 2 + length]
        if kind == 0x00 and len(value) == 3:
            return _part(value[0], value[1], value[2], rest), rest
        if kind == 0x08 and len(value) == 4:
            return _part(int.from_bytes(value[:2]), value[2], value[3], rest), rest
        at += 2 + length
    return None, rest


def _part(reference: int, total: int, number: int, octets: bytes) -> Part | None:
    """One that says nonsense is a text of its own."""
    return Part(reference, total, number, octets) if 1 <= number <= total and total > 1 else None


def receipt(octets: bytes, fields: Mapping[str, object]) -> Receipt | None:
    """From the optional parameters where the carrier sends them, else from the text."""
    found = _RECEIPT.search(octets)
    named = _text(fields.get("receipted_message_id")) or (found["id"].decode("ascii", "replace") if found else "")
    number = fields.get("message_state")
    word = _BY_NUMBER.get(number, "") if isinstance(number, int) else ""
    word = word or (found["stat"].decode("ascii", "replace").upper()[:7] if found else "")
    if not named or not word:
        return None
    error = found["err"].decode("ascii", "replace") if found and found["err"] else ""
    code = f"{word.lower()}_{error}" if error.strip("0") else word.lower()
    state = _STATES.get(word)
    return Receipt(named, state, code if state is Delivery.FAILED else "", _SENTENCES.get(word, ""))


def joined(parts: Sequence[bytes], coding: int, latin: bool) -> str:
    """Decoded as one: a character may be cut between two parts by senders that do not care."""
    return decoded(b"".join(parts), coding, latin)


def address(number: str) -> tuple[str, int, int]:
    """The number as SMPP writes it, its type and its plan."""
    if number.startswith("+"):
        return number[1:], 1, 1
    return (number, 0, 1) if number.isdigit() else (number, 5, 0)


def number(written: str, kind: int) -> str:
    return f"+{written}" if kind == 1 and written.isdigit() else written


def _encoded(text: str, coding: int) -> bytes:
    if coding == UCS_2:
        return text.encode("utf-16-be", "surrogatepass")
    if coding == LATIN_1:
        return text.encode("latin-1")
    octets = bytearray()
    for character in text:
        octets += bytes((_BASIC[character],)) if character in _BASIC else bytes((ESCAPE, _EXTENSION[character]))
    return bytes(octets)


def _from_gsm(octets: bytes) -> str:
    """One septet in each octet. An unknown extension is shown as the basic character (TS 23.038, section 6.2.1.1)."""
    text, escaped = [], False
    for code in octets:
        if escaped:
            text.append(_BY_EXTENSION.get(code, _BY_CODE.get(code, "�")))
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            text.append(_BY_CODE.get(code, "�"))
    return "".join(text)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode("ascii", "replace")
    return value if isinstance(value, str) else ""
