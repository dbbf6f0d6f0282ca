"""Where somebody is on the clock: by number and by address, as far as both tell (L4).

Pure. Entries of a list are gathered by it, so that those for whom it is night are not looked at one by one. What the
law says of a place is :mod:`crm.law`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm.law import places
from crm.law.places import Address
from crm.law.places import Place as OnePlace


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


def _written(place: OnePlace) -> str:
    return f"{place.country}|{place.region}|{','.join(sorted(place.zones))}"


def _read(written: str) -> OnePlace:
    country, region, zones = written.split("|")
    return OnePlace(country, region, frozenset(zone for zone in zones.split(",") if zone))
