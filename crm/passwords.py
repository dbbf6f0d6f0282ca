"""Passwords (argon2id, RFC 9106) and other secrets that are kept as hashes only.

Hashing takes tens of milliseconds on purpose; it runs in a thread, as argon2 lets other threads work meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.errors import Refused

SHORTEST, LONGEST = 10, 200
REALM = "switchhook"
_hasher = PasswordHasher()
_decoy = ""


def check(value: Any) -> str:
    """Length decides, not kinds of characters (NIST SP 800-63B section 3.1.1)."""
    if not isinstance(value, str) or not SHORTEST <= len(value) <= LONGEST:
        raise Refused("weak_password", f"A password has {SHORTEST} to {LONGEST} characters. Choose a longer one.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("weak_password", "This password holds half a character. Type it again.") from None
    return value


async def make_hash(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def matches(kept: str | None, password: object) -> bool:
    """Whether this is the password. Takes as long where none is kept."""
    if not isinstance(password, str) or len(password) > LONGEST:
        return False
    return await asyncio.to_thread(_verify, kept, password)


def new_secret() -> str:
    """32 characters that need no quoting anywhere; TRUST asks for 20 or more."""
    return secrets.token_urlsafe(24)


def token_hash(secret: str) -> str:
    """For secrets that are random themselves: nothing to slow down, so one fast hash (and the database finds it)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def ha1(device_id: str, secret: str) -> str:
    """What Asterisk needs to check a phone's digest, and no more (RFC 7616 section 3.4.2, MD5 for desk phones)."""
    return hashlib.md5(f"{device_id}:{REALM}:{secret}".encode(), usedforsecurity=False).hexdigest()


def _verify(kept: str | None, password: str) -> bool:
    global _decoy
    if kept is None and not _decoy:
        _decoy = _hasher.hash(secrets.token_hex(16))
    try:
        return _hasher.verify(kept or _decoy, password) and kept is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
