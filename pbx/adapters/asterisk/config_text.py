"""Reads a section of an Asterisk configuration file as Asterisk does: options of its templates first, then its own."""

from __future__ import annotations

import re

_HEAD = re.compile(r"\[(?P<name>[^\]]+)\](?:\((?P<templates>[^)]*)\))?$")
_OPTION = re.compile(r"(?P<name>[^=]+?)\s*=>?\s*(?P<value>.*)$")

Section = list[tuple[str, str]]


def options_of(text: str, section: str) -> Section:
    """Without ``type``, which is no option of the object itself. Raises KeyError for a section that is not there."""
    return [(name, value) for name, value in _sections(text)[section] if name != "type"]


def _sections(text: str) -> dict[str, Section]:
    """A template stands before what uses it, as Asterisk demands too."""
    found: dict[str, Section] = {}
    current: Section = []
    for line in (line.partition(";")[0].strip() for line in text.splitlines()):
        if head := _HEAD.match(line):
            templates = [name.strip() for name in (head["templates"] or "").split(",") if name.strip(" !")]
            current = [option for name in templates for option in found[name]]
            found.setdefault(head["name"], current)
        elif option := _OPTION.match(line):
            current.append((option["name"], option["value"]))
    return found
