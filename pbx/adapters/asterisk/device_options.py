"""What is a phone's own in Asterisk and no template can give: its names, its digest, what it shows to others.

Every value is checked here, because a line break or a semicolon in a name would be configuration of its own.
"""

from __future__ import annotations

import re

from pbx.services.ports_provision import Device, ProvisionError

ID = re.compile(r"[a-z][a-z0-9_]{2,63}")
E164 = re.compile(r"\+[1-9][0-9]{2,14}")
LANGUAGE = re.compile(r"[a-z]{2}")
_HA1 = re.compile(r"[0-9a-f]{32}")
_TONE_ZONES = {"ja": "jp"}

Options = list[tuple[str, str]]
"""Names and values in the order in which Asterisk is to read them; a name may stand more than once."""


def endpoint_options(device: Device) -> Options:
    """Endpoint, credentials and address of record are all named like the phone."""
    name = checked(ID, device.id, "device")
    language = checked(LANGUAGE, device.language, f"language of {name}")
    return [
        ("auth", name),
        ("aors", name),
        ("callerid", _caller_id(device)),
        ("language", language),
        ("tone_zone", _TONE_ZONES.get(language, "us")),
    ]


def auth_options(device: Device) -> Options:
    digest = checked(_HA1, device.ha1, f"HA1 of {device.id}")
    return [("username", checked(ID, device.id, "device")), ("password_digest", f"MD5:{digest}")]


def checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise ProvisionError(f"“{value}” cannot be used as {what}: correct it.")
    return value


def _caller_id(device: Device) -> str:
    """Name and number; marks that end a quoted string, a line or a comment are dropped from the name."""
    name = "".join(c for c in device.caller_name if c.isprintable() and c not in '"<>\\;[]{}$,|&').strip()[:60]
    number = checked(E164, device.did, f"number of {device.id}") if device.did else ""
    return f'"{name}" <{number}>'
