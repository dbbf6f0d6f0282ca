"""Which phones are registered, kept from Asterisk's own events: a ringing call asks nobody.

The list is read once after each connection (AMI PJSIPShowContacts) and kept by the event ContactStatus. A
binding that does not answer OPTIONS is not rung: a sleeping laptop must not swallow the ring time (I3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pbx.core.events import Phone

_GONE = frozenset({"Removed", "Unreachable", "Unavail"})


_BEHIND = re.compile(r";at=(\[[0-9A-Fa-f:.]+\]|[0-9.]+)~[0-9]+~[a-z]+")
"""Where a phone really is, as the edge writes it (``deploy/edge``); the address before it is the edge's."""
_HOST = re.compile(r"sips?:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?:[:;?]|$)")


def address_of(uri: str) -> str:
    """The address in a contact's URI; empty for a name."""
    found = _BEHIND.search(uri) or _HOST.match(uri)
    return found[1].strip("[]") if found else ""


def is_behind_edge(uri: str) -> bool:
    """Whether a contact's URI leads to an edge, which knows where the phone is."""
    return _BEHIND.search(uri) is not None


class Registrations:
    """Bindings by device, in the order in which they registered."""

    def __init__(self) -> None:
        self._contacts: dict[str, dict[str, None]] = {}

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        return tuple(
            Phone(device, f"PJSIP/{device}/{uri}") for device in device_ids for uri in self._contacts.get(device, ())
        )

    def has(self, dial: str) -> bool:
        """Whether this binding is one of them, by what is dialled for it."""
        technology, _, rest = dial.partition("/")
        device, _, uri = rest.partition("/")
        return technology == "PJSIP" and uri in self._contacts.get(device, ())

    def registered(self) -> dict[str, int]:
        """How many bindings each device has."""
        return {device: len(contacts) for device, contacts in self._contacts.items() if contacts}

    def reachable(self, name: str) -> bool:
        """Whether a device or a trunk answers."""
        return bool(self._contacts.get(name))

    def addresses(self, prefix: str) -> set[tuple[str, str]]:
        """Where the bindings of these devices are: address and device. A phone's URI has the address that it really
        spoke from."""
        found = ((uri, device) for device, contacts in self._contacts.items() for uri in contacts)
        return {(at, device) for uri, device in found if device.startswith(prefix) and (at := address_of(uri))}

    def replace(self, contacts: Iterable[tuple[str, str, str]]) -> None:
        """Take a fresh list of (AOR, URI, status)."""
        self._contacts = {}
        for aor, uri, status in contacts:
            if status not in _GONE:
                self._contacts.setdefault(aor, {})[uri] = None

    def forget(self, device_ids: Iterable[str]) -> None:
        """These are gone from the switch, which does not tell of their bindings any more."""
        for device in device_ids:
            self._contacts.pop(device, None)

    def changed(self, device: str, uri: str, status: str) -> bool:
        """Take in what became of one binding; tells whether the phones to ring are others now."""
        known = self._contacts.setdefault(device, {})
        before = len(known)
        if status in _GONE:
            known.pop(uri, None)
        else:
            known[uri] = None
        after = len(known)
        if not known:
            del self._contacts[device]
        return after != before
