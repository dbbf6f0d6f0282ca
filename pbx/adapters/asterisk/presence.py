"""Which phones are registered, kept from Asterisk's own events: a ringing call asks nobody.

The list is read once after each connection (AMI PJSIPShowContacts) and kept by ARI's ContactStatusChange. A
binding that does not answer OPTIONS is not rung: a sleeping laptop must not swallow the ring time (I3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pbx.core.events import Phone

_GONE = frozenset({"Removed", "Unreachable"})


class Registrations:
    """Bindings by device, in the order in which they registered."""

    def __init__(self) -> None:
        self._contacts: dict[str, dict[str, None]] = {}

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        return tuple(
            Phone(device, f"PJSIP/{device}/{uri}") for device in device_ids for uri in self._contacts.get(device, ())
        )

    def registered(self) -> dict[str, int]:
        """How many bindings each device has."""
        return {device: len(contacts) for device, contacts in self._contacts.items() if contacts}

    def replace(self, contacts: Iterable[tuple[str, str, str]]) -> None:
        """Take a fresh list of (AOR, URI, status)."""
        self._contacts = {}
        for aor, uri, status in contacts:
            if status not in _GONE:
                self._contacts.setdefault(aor, {})[uri] = None

    def changed(self, event: dict[str, Any]) -> str | None:
        """Take a ContactStatusChange in; gives the device whose registration changed."""
        info = event.get("contact_info", {})
        aor, uri = str(info.get("aor", "")), str(info.get("uri", ""))
        if not aor or not uri:
            return None
        known = self._contacts.setdefault(aor, {})
        before = len(known)
        if info.get("contact_status") in _GONE:
            known.pop(uri, None)
        else:
            known[uri] = None
        return aor if len(known) != before else None
