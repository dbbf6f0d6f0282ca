"""Where somebody is on the clock: by number and by address, as far as both tell (L4).

Pure. A place is every time zone that a person may be in. Who calls by itself must be right in each of them, so a number
that many zones share and an address elsewhere make a place with more of them, never with fewer. Nothing known of both
makes an empty place, which is never called by itself (TRUST, "unknown zone means no automatic dialling").
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

from crm import phone_numbers
from crm.errors import Refused

_US = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC TN VA VT WV",
    "America/Chicago": "AL AR FL IA IL IN KS KY LA MI MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID KS MT ND NE NM OR SD TX UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA ID NV OR WA",
    "America/Anchorage": "AK",
    "America/Adak": "AK",
    "Pacific/Honolulu": "HI",
}
_CA = {
    "America/St_Johns": "NL",
    "America/Halifax": "NB NL NS PE QC",
    "America/Toronto": "NU ON QC",
    "America/Winnipeg": "MB NU ON",
    "America/Regina": "SK",
    "America/Edmonton": "AB BC NT NU SK",
    "America/Vancouver": "BC",
    "America/Whitehorse": "YT",
}
_AU = {
    "Australia/Sydney": "ACT NSW",
    "Australia/Melbourne": "VIC",
    "Australia/Brisbane": "QLD",
    "Australia/Adelaide": "SA NSW",
    "Australia/Darwin": "NT",
    "Australia/Perth": "WA",
    "Australia/Hobart": "TAS",
}
_ZONES = {"US": _US, "CA": _CA, "AU": _AU}
"""Zones of the states of countries that have several (IANA's database, 2025b): a state that is split has both."""

_NAMES = {
    "US": {
        "alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO",
        "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "florida": "FL", "georgia": "GA",
        "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS",
        "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA", "michigan": "MI",
        "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE", "nevada": "NV",
        "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY", "north carolina": "NC",
        "north dakota": "ND", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA",
        "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN", "texas": "TX",
        "utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA", "west virginia": "WV",
        "wisconsin": "WI", "wyoming": "WY",
    },
    "CA": {
        "alberta": "AB", "british columbia": "BC", "manitoba": "MB", "new brunswick": "NB", "nova scotia": "NS",
        "newfoundland and labrador": "NL", "northwest territories": "NT", "nunavut": "NU", "ontario": "ON",
        "prince edward island": "PE", "quebec": "QC", "saskatchewan": "SK", "yukon": "YT",
    },
    "AU": {
        "australian capital territory": "ACT", "new south wales": "NSW", "victoria": "VIC", "queensland": "QLD",
        "south australia": "SA", "northern territory": "NT", "western australia": "WA", "tasmania": "TAS",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """``region`` is the state or province as its letters, where the address tells and we know it."""

    country: str
    region: str
    zones: tuple[str, ...]

    def written(self) -> str:
        """One text for one place: what entries of a list are gathered by."""
        return f"{self.country}|{self.region}|{','.join(self.zones)}"


def read(written: str) -> Place:
    """What :meth:`Place.written` gave."""
    country, region, zones = written.split("|")
    return Place(country, region, tuple(zone for zone in zones.split(",") if zone))


def place_of(e164: str, country: str = "", region: str = "") -> Place:
    """By the number, with what an address says besides: its country and its state in letters or by name."""
    numbers_country, zones = _of_number(e164)
    here = country.upper() or numbers_country
    state = state_of(here, region)
    return Place(here, state, tuple(sorted({*zones, *_of_address(country.upper(), state, numbers_country)})))


def state_of(country: str, text: str) -> str:
    """The letters of a state or province; empty for what is none of those that we know."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().strip().lower()
    letters = _NAMES.get(country, {}).get(folded, folded.upper())
    return letters if letters in _NAMES.get(country, {}).values() else ""


@lru_cache(maxsize=65536)
def _of_number(e164: str) -> tuple[str, tuple[str, ...]]:
    try:
        return phone_numbers.describe(e164).country, phone_numbers.time_zones(e164)
    except (Refused, phonenumbers.NumberParseException):
        return "", ()


@lru_cache(maxsize=4096)
def _of_address(country: str, state: str, numbers_country: str) -> tuple[str, ...]:
    """Of a state what we know; of a country alone all that it has, unless its own number tells better."""
    if state:
        return tuple(zone for zone, states in _ZONES[country].items() if state in states.split())
    if not country or country == numbers_country:
        return ()
    if country in _ZONES:
        return tuple(_ZONES[country])
    return tuple(TIMEZONE_DATA.get(str(phonenumbers.country_code_for_region(country)), ()))
