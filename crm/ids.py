"""Identifiers that the store mints: a prefix that says what it is, and a ULID that sorts by time.

ULID: 48 bits of milliseconds and 80 random bits, in Crockford's base 32 (26 characters). Devices are the
exception: their id is the SIP user name and the name of the Asterisk endpoint, so it is short, lower case, begins
with a letter (d for a phone, b for a browser's) and is never a telephone number (TRUST: the device's name is not the
extension).
"""

from __future__ import annotations

import secrets
import time
from functools import lru_cache

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DEVICE_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"
DEVICE_LENGTH = 9
DEVICE, BROWSER = "d", "b"

USER, TRUNK, GROUP, CALL, RECORDING, VOICEMAIL = "u", "tr", "g", "c", "rec", "vm"
OUTCOME, TASK = "out", "task"
FILTER = "flt"
SCRIPT = "scr"
TEXT, CONVERSATION, ATTACHMENT = "txt", "conv", "att"
TEMPLATE, TEXT_TRANSPORT, BRAND, CAMPAIGN = "tpl", "sms", "brand", "camp"
CALL_LIST, LIST_ENTRY, LIST_RUN, DROP, NUMBERS_LIST = "list", "le", "run", "drop", "dnc"
RATE_TABLE, POSTING = "rt", "led"
ALERT = "al"
WEBHOOK, WEBHOOK_EVENT, WEBHOOK_DELIVERY = "wh", "evt", "whd"
LEAD, PERSON, COMPANY, DEAL, NOTE, TOKEN, SESSION = "l", "p", "co", "deal", "n", "tok", "ses"

_PAIRS = [high + low for high in CROCKFORD for low in CROCKFORD]


def now_us() -> int:
    """Microseconds since the epoch, UTC: the unit of every ``*_us`` column."""
    return time.time_ns() // 1000


def ulid(at_us: int | None = None) -> str:
    """26 characters; of two made in different milliseconds the later one sorts after the earlier one."""
    milliseconds = (now_us() if at_us is None else at_us) // 1000
    value = secrets.randbits(80)
    return _moment(milliseconds) + "".join([_PAIRS[value >> shift & 1023] for shift in range(70, -1, -10)])


@lru_cache(maxsize=64)
def _moment(milliseconds: int) -> str:
    """The first ten characters: 48 bits, with two of nothing before them."""
    value = milliseconds & ((1 << 48) - 1)
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(40, -1, -10)])


def new(prefix: str, at_us: int | None = None) -> str:
    """A new id such as ``u_01J…``. Those of trunks are lower case, as they also name Asterisk endpoints."""
    made = f"{prefix}_{ulid(at_us)}"
    return made.lower() if prefix == TRUNK else made


def first(prefix: str, at_us: int) -> str:
    """Sorts before every id that was made from then on, and after those made before."""
    return f"{prefix}_{_moment(at_us // 1000)}"


def new_device() -> str:
    return DEVICE + _device_name()


def new_browser() -> str:
    return BROWSER + _device_name()


def _device_name() -> str:
    return "".join(secrets.choice(DEVICE_ALPHABET) for _ in range(DEVICE_LENGTH))
