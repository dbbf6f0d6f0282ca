"""Telephone numbers: read in any notation, kept as E.164, shown and searched as people write them.

Pure. The numbering plans are those of the ``phonenumbers`` library. A number with its country code is taken when its
length is one that the country uses: plans are younger than any table, so a range that the table does not know yet is
allowed, and says so in ``valid``. National notation must be a number of the default country, as a guess that goes
wrong dials a stranger.
"""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult, timezone

from crm.errors import Refused, printable

LONGEST_TEXT = 40
_PUNCTUATION = " ()[]-./·・,~"
_DASHES = "‐‑‒–—―−ー－"
_SKIPPED = str.maketrans("", "", _PUNCTUATION + _DASHES)
_NO_ASCII_DIGIT = str.maketrans("", "", "".join(map(chr, {*range(128)} - {*map(ord, string.digits)})))
_SATELLITE_CODES = frozenset({870, 881, 882, 883})
_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company",
    PhoneNumberType.VOICEMAIL: "voicemail",
}


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that has been read. ``country`` is ISO 3166 alpha-2, or "001" for one of no country."""

    e164: str
    country: str
    kind: str  # fixed, mobile, fixed_or_mobile, toll_free, premium, shared, satellite, voip, … or unknown
    valid: bool

    def __str__(self) -> str:
        return self.e164


def parse(raw: str, default_country: str, field: str | None = "number") -> PhoneNumber:
    """Read a number as typed, pasted or received. ``default_country`` is where national notation is from.

    Raises Refused with a sentence. Only digits, a plus in front and the usual separators are taken: letters, ``@``,
    ``&`` and anything else that means something to a dialplan or a SIP URI are refused, never skipped.
    """
    return _parse(*_legible(raw, default_country, field), field)


def as_e164(raw: str, default_country: str, field: str | None = "number") -> str:
    """As :func:`parse`, without asking whose number it is and of what kind: the dearest part, for a whole file."""
    return _e164(_checked(*_legible(raw, default_country, field), field))


def _legible(raw: str, default_country: str, field: str | None) -> tuple[str, str, str]:
    """Digits, country and the text as it may be shown."""
    if not isinstance(raw, str) or not raw.strip():
        raise _refused("There is no number here. Type one with its country code, for example +81 3 1234 5678.", field)
    digits = clean(raw)
    if digits is None:
        raise _refused(
            f"“{printable(raw, 30)}” is not a telephone number. Use digits, spaces, dashes, parentheses and a plus "
            "in front.",
            field,
        )
    return digits, default_country.upper(), printable(raw, 30)


def try_parse(raw: str, default_country: str) -> PhoneNumber | None:
    """As :func:`parse`, None instead of an error: for what callers send."""
    try:
        return parse(raw, default_country)
    except Refused:
        return None


def clean(raw: str) -> str | None:
    """The digits of a text, with a leading plus where it has one; None where it holds anything else."""
    if len(raw) > LONGEST_TEXT:
        return None
    text = unicodedata.normalize("NFKC", raw).strip()
    if text.lower().startswith("tel:"):
        text = text[4:]
    plus = "+" if text.startswith("+") else ""
    text = text[len(plus) :].translate(_SKIPPED)
    digits = text if text.isascii() and text.isdigit() else _decimals(text)
    return plus + digits if digits else None


def _decimals(text: str) -> str | None:
    if any(unicodedata.category(character) != "Nd" for character in text):
        return None
    return "".join(str(unicodedata.decimal(character)) for character in text)


def search_digits(text: str) -> str:
    """The digits of a search text in any script, nothing else: "+81 3-12" gives "81312"."""
    if text.isascii():
        return text.translate(_NO_ASCII_DIGIT)
    return "".join(str(unicodedata.decimal(character)) for character in text if unicodedata.category(character) == "Nd")


@lru_cache(maxsize=65536)
def variants(e164: str) -> tuple[str, ...]:
    """All ways in which the digits are written, for searching: international, national with and without its
    trunk prefix. "+81312345678" gives ("81312345678", "0312345678", "312345678")."""
    number = _read(e164, None)
    national = search_digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    significant = phonenumbers.national_significant_number(number)
    return tuple(dict.fromkeys((e164.removeprefix("+"), national, significant)))


@lru_cache(maxsize=65536)
def describe(e164: str) -> PhoneNumber:
    """Country and kind of a number that is E.164 already. Raises Refused where it is not."""
    return _parse(e164, "ZZ", printable(e164, 30), None)


@lru_cache(maxsize=65536)
def display(e164: str, home_country: str = "") -> str:
    """As people write it: national at home, international elsewhere; unchanged where it is no number."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    at_home = phonenumbers.region_code_for_number(number) == home_country.upper()
    return phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    )


def national_digits(e164: str) -> str:
    """As dialled within the number's own country, trunk prefix included: "+81312345678" gives "0312345678"."""
    number = phonenumbers.parse(e164, None)
    return search_digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def time_zones(e164: str) -> tuple[str, ...]:
    """The time zones that the number may be in, as IANA names; empty where that is not known."""
    zones = timezone.time_zones_for_number(phonenumbers.parse(e164, None))
    return tuple(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE)


def is_country(code: str) -> bool:
    return code in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=1024)
def _read(digits: str, country: str | None) -> phonenumbers.PhoneNumber:
    """Whoever reads a number soon asks how it is written at home, too."""
    return phonenumbers.parse(digits, country)


@lru_cache(maxsize=4096)
def _parse(digits: str, country: str, shown: str, field: str | None) -> PhoneNumber:
    number = _checked(digits, country, shown, field)
    found = phonenumbers.number_type(number)
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    kind = "satellite" if code in _SATELLITE_CODES else _KINDS.get(found, "unknown")
    return PhoneNumber(_e164(number), region, kind, found != PhoneNumberType.UNKNOWN)


def _checked(digits: str, country: str, shown: str, field: str | None) -> phonenumbers.PhoneNumber:
    try:
        number = _read(digits, None if digits.startswith("+") else country)
    except NumberParseException as error:
        raise _refused(_why(error, shown), field) from error
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        raise _refused(_LENGTHS.get(length, _LENGTHS[ValidationResult.INVALID_LENGTH]).format(shown), field)
    if not digits.startswith("+") and not phonenumbers.is_valid_number(number):
        raise _refused(
            f"“{shown}” is not a number of the country {country}. Check the digits, or type the country code.", field
        )
    return number


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


_LENGTHS = {
    ValidationResult.TOO_SHORT: "“{}” is too short for a telephone number. Check the digits, with the area code.",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "“{}” lacks its area code. Type it with area or country code.",
    ValidationResult.TOO_LONG: "“{}” is too long for a telephone number. Check the digits.",
    ValidationResult.INVALID_LENGTH: "“{}” does not have the length of a telephone number. Check the digits.",
    ValidationResult.INVALID_COUNTRY_CODE: "“{}” has a country code that does not exist. Check it.",
}


def _why(error: NumberParseException, shown: str) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return f"“{shown}” has no known country code. Type a plus and the country code in front."
    return f"“{shown}” is not a telephone number. Check the digits, with the country code."


def _refused(sentence: str, field: str | None) -> Refused:
    return Refused("invalid_number", sentence, field)
