"""Rules as they stand in the files beside this one: what each kind holds, and the checks of what an admin writes.

A rule's key is its kind and its place: "hours.US-FL", "recording.DE", "words.ja", "campaigns.T". The place "*" stands
for every one that has no rule of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from crm import fields
from crm.errors import Refused, printable
from crm.phone_numbers import is_country

RULES = Path(__file__).parent / "rules"
KINDS = ("hours", "text_hours", "holidays", "recording", "refusal", "attempts", "words", "campaigns")
BASES = ("law", "code", "custom")
ANYWHERE = "*"
_SPAN = r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]|24):[0-5][0-9]"
_PLACES = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` by language. ``date``: since when it holds, or the version that was read. ``changed`` where it is not as
    it came with the system: who changed it, when and why."""

    key: str
    kind: str
    place: str
    value: Mapping[str, Any]
    basis: str
    source: str
    date: str
    texts: Mapping[str, str]
    changed: Change | None = None
    unchecked: bool = False
    """It came with the system, and nobody has compared it with its source yet."""

    def text(self, language: str) -> str:
        return self.texts.get(language, self.texts.get("en", ""))


@dataclass(frozen=True, slots=True)
class Change:
    by: str
    at_us: int
    reason: str


@lru_cache(maxsize=1)
def defaults() -> Mapping[str, Rule]:
    """Every rule that comes with the system, by its key."""
    return {rule.key: rule for kind in KINDS for rule in _of_file(kind)}


def read_file(name: str) -> dict[str, Any]:
    with (RULES / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def _of_file(kind: str) -> list[Rule]:
    return [_rule(kind, place, dict(given)) for place, given in read_file(kind).items()]


def _rule(kind: str, place: str, given: dict[str, Any]) -> Rule:
    texts = {"en": given.pop("text"), "ja": given.pop("ja")}
    basis, source, since = given.pop("basis"), given.pop("source"), given.pop("date")
    unchecked = bool(given.pop("unchecked", False))
    value = check_value(kind, given)
    return Rule(f"{kind}.{place}", kind, place, value, basis, source, since.isoformat(), texts, unchecked=unchecked)


# -- what a rule may hold --------------------------------------------------------------------------------


def _span(value: Any) -> str:
    kept = str(fields.matching(_SPAN, "Write a span as 08:00-20:00.")(value))
    begins, _, ends = kept.partition("-")
    if minutes(begins) >= minutes(ends) or minutes(ends) > 24 * 60:
        raise Refused("invalid", "A span ends after it begins, on the same day. Write the day's end as 24:00.")
    return kept


def minutes(clock: str) -> int:
    """Since midnight."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Refused("invalid", "Write a day as 2026-12-31.") from None


_SPANS = fields.list_of(_span, 6)
_DAYS = fields.list_of(_day, 400)
_WORDS = fields.list_of(fields.text(40), 60)
_HOURS: dict[str, fields.Check] = {day: _SPANS for day in ("weekdays", "saturday", "sunday", "holidays")}

_CHECKS: Mapping[str, Mapping[str, fields.Check]] = {
    "hours": _HOURS,
    "text_hours": _HOURS,
    "holidays": {"add": _DAYS, "remove": _DAYS},
    "recording": {
        "consent": fields.choice("one", "all"),
        "play": fields.choice("none", "announcement", "tone"),
    },
    "refusal": {"months": fields.integer(0, 1200)},
    "attempts": {"calls": fields.integer(1, 1000), "hours": fields.integer(1, 24 * 366)},
    "words": {
        **{kind: _WORDS for kind in ("stop", "help", "start")},
        **{f"{kind}_reply": fields.text(640) for kind in ("stop", "help", "start")},
    },
    "campaigns": {
        "name": fields.text(60),
        "use": fields.choice("standard", "mixed", "sole_proprietor", "special"),
        "score_from": fields.integer(0, 100),
        "score_to": fields.integer(0, 100),
        "per_minute": fields.integer(1, 1_000_000),
        "per_day": fields.integer(0, 100_000_000),
        "review": fields.boolean,
    },
}
_OPTIONAL = {"saturday", "sunday", "holidays", "review"}


def check_value(kind: str, value: Any) -> dict[str, Any]:
    """What a rule of this kind may hold. Raises Refused with the field at fault."""
    if not isinstance(value, Mapping):
        raise Refused("invalid", "A rule's value is an object.", "value")
    checks = _CHECKS[kind]
    return fields.read(value, checks, [name for name in checks if name not in _OPTIONAL and not _lists(value, name)])


def _lists(value: Mapping[str, Any], name: str) -> bool:
    """An empty list is a value."""
    return isinstance(value.get(name), list) or value.get(name) == 0


def read_key(key: str) -> tuple[str, str]:
    """Kind and place. Raises Refused where there can be no such rule."""
    kind, _, place = key.partition(".")
    check = _PLACE_CHECKS.get(kind)
    if check is None or not check(place):
        raise Refused(
            "invalid",
            f"“{printable(key)}” names no rule. Write kind and place, for example hours.JP, hours.US-FL or words.ja; "
            f"kinds are {', '.join(KINDS)}.",
            "key",
        )
    return kind, place


def _is_place(place: str) -> bool:
    return place == ANYWHERE or (bool(_PLACES.fullmatch(place)) and is_country(place[:2]))


_PLACE_CHECKS: Mapping[str, Callable[[str], Any]] = {
    **{kind: _is_place for kind in KINDS},
    "words": re.compile(r"[a-z]{2}").fullmatch,
    "campaigns": re.compile(r"[A-Z][A-Z0-9]{0,2}").fullmatch,
}
