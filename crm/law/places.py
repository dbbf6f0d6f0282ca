"""Where a number is, and where an address is: country, state, time zones. In memory, a few look-ups each.

A number of North America tells its state by its area code; its time zones are all those of the area code, as numbers
move with their owners. Elsewhere the longest prefix decides that the table of time zones knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from crm.errors import Refused
from crm.law.rules import read_file
from crm.phone_numbers import describe

Zones = frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """``zones`` are all that it may be in; none: it cannot be told. ``region`` is that of ISO 3166-2, without the
    country."""

    country: str
    region: str = ""
    zones: Zones = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """As rules name it: the country, then the state."""
        return (self.country, f"{self.country}-{self.region}") if self.region else (self.country,)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person lives, as far as it is known; ``region`` by name or code."""

    country: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class _NorthAmerica:
    by_code: Mapping[str, Place]
    by_state: Mapping[tuple[str, str], Place]
    by_name: Mapping[tuple[str, str], str]


@lru_cache(maxsize=1)
def _north_america() -> _NorthAmerica:
    zones = _zones_by_area_code()
    by_code: dict[str, Place] = {}
    by_state: dict[tuple[str, str], Place] = {}
    by_name: dict[tuple[str, str], str] = {}
    for country, states in read_file("places").items():
        for region, state in states.items():
            codes = state["codes"].split()
            whole = frozenset(zone for code in codes for zone in zones.get(code, ()))
            by_state[country, region] = Place(country, region, whole)
            by_name[country, _folded(state["name"])] = region
            by_code |= {code: Place(country, region, zones.get(code) or whole) for code in codes}
    return _NorthAmerica(by_code, by_state, by_name)


def _zones_by_area_code() -> dict[str, Zones]:
    found: dict[str, set[str]] = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            found[prefix[1:4]].update(zones)
    return {code: frozenset(zones) for code, zones in found.items()}


def of_number(e164: str, country: str = "") -> Place:
    """``country`` where it is known already. Never raises: of what is no number nothing is known."""
    if e164.startswith("+1") and (place := _north_america().by_code.get(e164[2:5])):
        return place
    digits = e164[1:]
    return _placed(country or _country(e164), _zones(digits))


def _zones(digits: str) -> tuple[str, ...]:
    for length in range(min(len(digits), TIMEZONE_LONGEST_PREFIX), 0, -1):
        found: tuple[str, ...] = TIMEZONE_DATA.get(digits[:length], ())
        if found:
            return found
    return ()


@lru_cache(maxsize=4096)
def _placed(country: str, zones: tuple[str, ...]) -> Place:
    return Place(country, "", frozenset(zones) - {timezone.UNKNOWN_TIMEZONE})


@lru_cache(maxsize=65536)
def _country(e164: str) -> str:
    try:
        return describe(e164).country
    except Refused:
        return ""


@lru_cache(maxsize=4096)
def of_address(address: Address) -> Place | None:
    """None where it says nothing that a number does not say better."""
    country = address.country.upper()
    north = _north_america()
    region = region_code(country, address.region)
    if (country, region) in north.by_state:
        return north.by_state[country, region]
    code = phonenumbers.country_code_for_region(country)
    if not code or code == 1:
        return None
    zones = frozenset(TIMEZONE_DATA.get(str(code), ())) - {timezone.UNKNOWN_TIMEZONE}
    return Place(country, region, zones) if zones else None


@lru_cache(maxsize=4096)
def region_code(country: str, region: str) -> str:
    """ "Florida", "fl" and "US-FL" give "FL"; what is neither a known name nor a code gives nothing."""
    folded = _folded(region)
    known = _north_america().by_name.get((country, folded))
    if known:
        return known
    code = folded.upper().removeprefix(f"{country}-")
    return code if re.fullmatch(r"[A-Z0-9]{1,3}", code) else ""


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace(".", "").split())
