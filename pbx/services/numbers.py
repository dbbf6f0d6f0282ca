"""What a dialled text means for a user: an emergency number, a number in E.164, or nothing that can be dialled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crm import phone_numbers
from crm.directory import Directory
from crm.records import User
from pbx.core.gate import Destination


def emergency_numbers(settings: Mapping[str, object], country: str) -> Iterator[str]:
    """The numbers that always pass for a user of this country, and those of every country."""
    table = settings.get("emergency.numbers")
    if not isinstance(table, Mapping):
        return
    for key in ("*", country.upper()):
        numbers = table.get(key)
        if isinstance(numbers, Sequence):
            yield from map(str, numbers)


def colleague(destination: Destination, directory: Directory, caller: User) -> User | None:
    """The user whose number this is, where a call of ``caller`` to it stays inside, without any trunk."""
    owner = directory.user_of(destination.e164)
    return owner if owner is not None and owner.id != caller.id and caller.active else None


def forwarded(destination: Destination, directory: Directory, user_id: str) -> Destination:
    """The destination as a forwarding number of this user: does it come back, to the user or round and round between
    colleagues?"""
    seen, owner = {user_id}, directory.user_of(destination.e164)
    while owner is not None and owner.id not in seen:
        seen.add(owner.id)
        owner = directory.user_of(owner.forwarding_number or "")
    return replace(destination, comes_back=owner is not None)


def read(text: str, country: str, settings: Mapping[str, object]) -> Destination:
    """Read what was dialled. Never raises: what is no number has an empty ``e164``, which the gate refuses."""
    digits = phone_numbers.clean(text) if text else None
    if digits is None:
        return Destination("")
    if digits in emergency_numbers(settings, country):
        return Destination(digits, country, "emergency", emergency=True)
    number = phone_numbers.try_parse(digits, country)
    if number is None:
        return Destination("")
    return Destination(number.e164, number.country, number.kind)
