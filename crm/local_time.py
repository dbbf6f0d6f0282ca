"""Where somebody is on the clock: by number and by address, as far as both tell (L4).

Pure. Entries of a list are gathered by it, so that those for whom it is night are not looked at one by one. What the
law says of a place is :mod:`crm.law`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm.law import places
from crm.law.places import Address
from crm.law.places import Place as OnePlace
import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

from crm import phone_numbers
from crm.errors import Refused
from crm.law import places

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
    """``there`` is where the number is, ``home`` where its owner lives, where an address says something else."""

    there: OnePlace
    home: OnePlace | None = None

    @property
    def country(self) -> str:
        return self.there.country

    @property
    def zones(self) -> tuple[str, ...]:
        """All that they may be in."""
        return tuple(sorted(self.there.zones | (self.home.zones if self.home is not None else frozenset())))

    def written(self) -> str:
        """One text for one place."""
        return ";".join(map(_written, [self.there, self.home] if self.home is not None else [self.there]))


def read(written: str) -> Place:
    """What :meth:`Place.written` gave."""
    there, *home = map(_read, written.split(";"))
    return Place(there, *home)


def place_of(e164: str, country: str = "", region: str = "") -> Place:
    """By the number, with what an address says besides: its country and its state in letters or by name."""
    there = places.of_number(e164)
    home = places.of_address(Address(country, region)) if country else None
    return Place(there, home if home != there else None)
    numbers_country, zones = _of_number(e164)
    here = country.upper() or numbers_country
    state = state_of(here, region) or (places.of_number(e164).region if here == numbers_country else "")
    return Place(here, state, tuple(sorted({*zones, *_of_address(country.upper(), state, numbers_country)})))


def _written(place: OnePlace) -> str:
    return f"{place.country}|{place.region}|{','.join(sorted(place.zones))}"


def _read(written: str) -> OnePlace:
    country, region, zones = written.split("|")
    return OnePlace(country, region, frozenset(zone for zone in zones.split(",") if zone))
