"""All rules in force, ready to be asked in the way of a call: look-ups in memory, nothing is parsed twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from crm.law import places, words
from crm.law.hours import Clock, Days, Schedule, When, week, zone
from crm.law.places import Address, Place
from crm.law.rules import ANYWHERE, Rule, defaults

Mode = Literal["call", "text"]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a recording between these places needs: ``play`` is none, announcement or tone, ``all_parties`` whether all
    must agree; ``rules`` says why."""

    all_parties: bool
    play: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Attempts:
    calls: int
    within: timedelta
    rule: Rule


class Law:
    """``rules`` by key; ``changes`` are those that admins made. Never changed: another rule makes another law."""

    def __init__(self, rules: Mapping[str, Rule], changes: tuple[Rule, ...] = ()) -> None:
        self.rules = rules
        self.changes = changes
        self._schedules: dict[tuple[Mode, Place, Place | None], Schedule] = {}
        self._words = words.table(rule for rule in rules.values() if rule.kind == "words")

    def changed(self, changes: tuple[Rule, ...]) -> Law:
        return Law({**self.rules, **{rule.key: rule for rule in changes}}, changes)

    # -- hours ---------------------------------------------------------------------------------------

    def hours(
        self, e164: str, at_us: int, *, country: str = "", address: Address | None = None, mode: Mode = "call"
    ) -> When:
        """Whether this number may be called (or texted) at this moment. ``country`` is the number's, where it is known
        already; ``address`` where its owner lives: both places must allow it."""
        there = places.of_number(e164, country)
        home = places.of_address(address) if address is not None else None
        return self.schedule(mode, there, home).at(at_us)

    def schedule(self, mode: Mode, there: Place, home: Place | None = None) -> Schedule:
        key = (mode, there, home)
        found = self._schedules.get(key)
        if found is None:
            found = self._schedules[key] = self._made(mode, [there] if home is None else [there, home])
        return found

    def _made(self, mode: Mode, all_places: list[Place]) -> Schedule:
        clocks = {
            (name, rule.key): Clock(there, week(rule), self._days(place), rule)
            for place in all_places
            for name in sorted(place.zones)
            if (there := zone(name)) is not None
            for rule in self._hours_of(mode, place)
        }
        if any(not place.zones for place in all_places[:1]):
            return Schedule(())
        return Schedule(tuple(clocks.values()))

    def _hours_of(self, mode: Mode, place: Place) -> list[Rule]:
        kinds = ("text_hours", "hours") if mode == "text" else ("hours",)
        return self._of(place, *kinds)

    def _days(self, place: Place) -> Days:
        found = [self.rules["holidays.*"], *self._own("holidays", place)]
        return Days(
            place.country,
            place.region,
            frozenset(date.fromisoformat(day) for rule in found for day in rule.value["add"]),
            frozenset(date.fromisoformat(day) for rule in found for day in rule.value["remove"]),
        )

    # -- everything else ---------------------------------------------------------------------------

    def consent(self, *parties: Place) -> Consent:
        """The stricter side wins."""
        found = tuple(rule for place in parties for rule in self._of(place, "recording")[-1:])
        strictest = max((rule.value["play"] for rule in found), key=_STRICT.index, default="none")
        return Consent(any(rule.value["consent"] == "all" for rule in found), strictest, found)

    def refusal(self, place: Place) -> timedelta | None:
        """For how long who has refused is not called again; None: for good."""
        months = int(self._of(place, "refusal")[-1].value["months"])
        return timedelta(days=months * 30.5) if months else None

    def attempts(self, place: Place) -> tuple[Attempts, ...]:
        """Every limit that holds there."""
        found = {rule.key: rule for rule in (self.rules["attempts.*"], *self._of(place, "attempts"))}
        return tuple(
            Attempts(rule.value["calls"], timedelta(hours=rule.value["hours"]), rule) for rule in found.values()
        )

    def word(self, text: str) -> words.Word | None:
        """What a text asks for, where it is nothing but STOP, HELP, START or one of their like (T7)."""
        return words.find(self._words, text)

    def reply(self, kind: str, language: str) -> str:
        """What is answered to one of the words where nobody has said it: by voice, or by API."""
        rule = self.rules.get(f"words.{language}", self.rules["words.en"])
        return str(rule.value[f"{kind}_reply"])

    def campaign(self, name: str) -> Rule | None:
        """The class of a 10DLC campaign (T8)."""
        return self.rules.get(f"campaigns.{name}")

    def of_kind(self, kind: str) -> list[Rule]:
        return [rule for rule in self.rules.values() if rule.kind == kind]

    def _of(self, place: Place, *kinds: str) -> list[Rule]:
        """The country's rule, or that of all, and the state's besides; of each the first kind that has one."""
        found = [self._first(kinds, place.country) or self._first(kinds, ANYWHERE), *self._state(place, kinds)]
        return [rule for rule in found if rule is not None]

    def _state(self, place: Place, kinds: tuple[str, ...]) -> list[Rule | None]:
        return [self._first(kinds, name) for name in place.names[1:]]

    def _first(self, kinds: tuple[str, ...], place: str) -> Rule | None:
        return next((self.rules[key] for kind in kinds if (key := f"{kind}.{place}") in self.rules), None)

    def _own(self, kind: str, place: Place) -> list[Rule]:
        return [self.rules[key] for name in place.names if (key := f"{kind}.{name}") in self.rules]


_STRICT: list[Any] = ["none", "tone", "announcement"]
STATUTE = Law(defaults())
"""As it comes with the system."""
