"""When an entry of a call list comes again: rules by what came of the call, as data (L5). Pure.

A rule names a result of the switch (no_answer, busy …) or an outcome that a user chose (its id), the minutes to wait
and how many calls there may be in all. What no rule names is done with one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm import fields

RESULTS = (
    "answered", "no_answer", "busy", "rejected", "unreachable", "invalid_number", "failed", "cancelled", "refused",
    "interrupted", "voicemail_drop",
)  # fmt: skip
MINUTE_US = 60_000_000
MOST_RULES = 30
LONGEST_MINUTES = 60 * 24 * 90

DEFAULT: tuple[Mapping[str, Any], ...] = (
    {"on": "no_answer", "after_minutes": 240, "calls": 4},
    {"on": "busy", "after_minutes": 60, "calls": 4},
    {"on": "unreachable", "after_minutes": 240, "calls": 2},
    {"on": "failed", "after_minutes": 60, "calls": 3},
    {"on": "interrupted", "after_minutes": 60, "calls": 3},
    {"on": "cancelled", "after_minutes": 60, "calls": 4},
    {"on": "voicemail_drop", "after_minutes": 2880, "calls": 2},
)


def _rule(value: Any) -> dict[str, Any]:
    checks = {
        "on": fields.matching(r"[a-z_]{3,20}|out_[0-9A-Z]{26}", "Name a result such as busy, or an outcome by its id."),
        "after_minutes": fields.integer(1, LONGEST_MINUTES),
        "calls": fields.integer(1, 50),
    }
    return fields.read(value, checks, tuple(checks))


def check(value: Any) -> list[dict[str, Any]]:
    """A list of rules as it is kept. Raises Refused."""
    kept: list[dict[str, Any]] = fields.list_of(_rule, MOST_RULES)(value)
    for rule in kept:
        if not rule["on"].startswith("out_"):
            fields.one("on", rule["on"], fields.choice(*RESULTS))
    return kept


def again_us(
    rules: Sequence[Mapping[str, Any]], came_of_it: Sequence[str | None], calls: int, at_us: int
) -> int | None:
    """When to call again; None: it is done. ``came_of_it`` is the outcome, then the switch's result: the first that has
    a rule decides. ``calls`` are those made so far."""
    for name in came_of_it:
        for rule in rules:
            if name and rule["on"] == name:
                return at_us + int(rule["after_minutes"]) * MINUTE_US if calls < rule["calls"] else None
    return None
