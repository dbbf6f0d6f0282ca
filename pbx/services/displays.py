"""Telephone numbers as people write them, beside the numbers that machines compare: in every answer and event.

One table says which field holds a number and what its written form is called; the API's models are made from it too.
Numbers of the organisation's own country are written as people there dial them, all others with their country code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crm.directory import Directory
from crm.phone_numbers import display

WRITTEN: Mapping[str, str] = {
    "customer_number": "customer_display",
    "did": "did_display",
    "caller_number": "caller_display",
    "forwarding_number": "forwarding_display",
    "number": "display",
    "phone_number": "display",
    "e164": "display",
}
_AS_IT_IS = frozenset({"before", "after", "data", "facts", "value", "default"})  # what was noted is shown as it was


def home_of(directory: Directory) -> str:
    """The country whose numbers are written without their country code."""
    return str(directory.settings.get("default_country") or "")


def with_displays(value: Any, home: str, plain: Callable[[Any], Any] = lambda value: value) -> Any:
    """The same with every number's written form beside it, however deep. What is no number is written as it is.

    ``plain`` opens what is neither a text, a figure, a list nor a mapping.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return _with_displays(value, home, plain)
    if isinstance(value, list | tuple):
        return [with_displays(each, home, plain) for each in value]
    opened = plain(value)
    return value if opened is value else with_displays(opened, home, plain)


def _with_displays(row: dict[str, Any], home: str, plain: Callable[[Any], Any]) -> dict[str, Any]:
    shown = {name: each if name in _AS_IT_IS else with_displays(each, home, plain) for name, each in row.items()}
    for name in WRITTEN.keys() & row.keys():
        number = row[name]
        if number is None or isinstance(number, str):
            shown[WRITTEN[name]] = display(number, home) if number else number
    return shown
