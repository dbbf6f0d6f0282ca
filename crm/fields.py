"""Checks of input, once for CLI, API and console: what a field may hold, and the sentence when it does not.

A check takes any value that JSON can hold and gives the value to keep, or raises Refused without the field's name,
which :func:`read` adds. Text is refused (never silently repaired) when it holds control characters, NUL, lone
surrogates, or characters that turn the direction of writing, as these make a name show as another.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from crm import phone_numbers
from crm.errors import Refused, printable

Check = Callable[[Any], Any]
_TURNING = frozenset("‎‏‪‫‬‭‮⁦⁧⁨⁩؜")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
LARGEST = 2**53 - 1  # what JSON keeps exact everywhere


def read(values: Mapping[str, Any], known: Mapping[str, Check], required: Iterable[str] = ()) -> dict[str, Any]:
    """Check every value. Raises Refused for the first field that is unknown, missing or wrong."""
    for name in values:
        if name not in known:
            raise Refused(
                "unknown_field",
                f"There is no field “{printable(str(name))}”. Known fields: {', '.join(sorted(known))}.",
                printable(str(name)),
            )
    for name in required:
        if values.get(name) in (None, ""):
            raise Refused("missing", f"“{name}” is missing. Give it.", name)
    return {name: one(name, value, known[name]) for name, value in values.items()}


def one(name: str, value: Any, check: Check) -> Any:
    """Check one value under the field's name."""
    try:
        return check(value)
    except Refused as refused:
        raise Refused(refused.code, refused.message, name, refused.status) from None


def text(longest: int = 200, *, empty: bool = False, lines: bool = False) -> Check:
    """One line of text (or several), trimmed, in Unicode's composed form."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _wrong("This must be a text.")
        _check_characters(value, lines)
        kept = unicodedata.normalize("NFC", value.strip())
        if not kept and not empty:
            raise _wrong("This must not be empty.")
        if len(kept) > longest:
            raise _wrong(f"This is too long: at most {longest} characters, not {len(kept)}.")
        return kept

    return check


def _check_characters(value: str, lines: bool) -> None:
    if value.isprintable():  # nothing of what follows is, and nearly every text is
        return
    for character in value:
        kind = unicodedata.category(character)
        if kind == "Cs":
            raise _wrong("This text holds half a character (a lone surrogate). Type it again.")
        if kind == "Cc" and not (lines and character in "\n\r\t"):
            raise _wrong("This text holds a control character. Remove it, or type the text again.")
        if character in _TURNING or kind in ("Zl", "Zp"):
            raise _wrong("This text holds an invisible character that changes how it is shown. Type it again.")


def choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise _wrong(f"This must be one of {', '.join(allowed)}, not “{printable(str(value))}”.")
        return value

    return check


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("This must be true or false.")
    return value


def integer(lowest: int = 0, highest: int = LARGEST, unit: str = "") -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            of_unit = f" {unit}" if unit else ""
            raise _wrong(f"This must be a whole number from {lowest} to {highest}{of_unit}.")
        return value

    return check


def optional(check: Check) -> Check:
    """None and the empty text mean: not set."""
    return lambda value: None if value is None or value == "" else check(value)


def list_of(check: Check, most: int = 100) -> Check:
    def check_list(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise _wrong("This must be a list.")
        if len(value) > most:
            raise _wrong(f"This list is too long: at most {most} entries.")
        return list({repr(kept): kept for kept in map(check, value)}.values())  # each once; objects have no hash

    return check_list


def phone(default_country: str) -> Check:
    """A telephone number in any notation, kept as E.164."""
    return lambda value: phone_numbers.as_e164(value, default_country)


def email(value: Any) -> str:
    kept = text(254)(value)
    if not isinstance(kept, str) or not _EMAIL.fullmatch(kept) or ".." in kept:
        raise _wrong(f"“{printable(kept)}” is not an e-mail address. Write it as name@example.com.")
    return kept


def country(value: Any) -> str:
    kept = value.upper() if isinstance(value, str) else ""
    if not phone_numbers.is_country(kept):
        raise _wrong(f"“{printable(str(value))}” is not a country. Use its two letters, for example US or JP.")
    return kept


def currency(value: Any) -> str:
    kept = value.upper() if isinstance(value, str) else ""
    if not re.fullmatch(r"[A-Z]{3}", kept):
        raise _wrong("A currency has three letters, for example USD or JPY.")
    return kept


@lru_cache(maxsize=1)
def _zones() -> Collection[str]:
    return zoneinfo.available_timezones()


def time_zone(value: Any) -> str:
    if not isinstance(value, str) or value not in _zones():
        raise _wrong(f"“{printable(str(value))}” is not a time zone. Use a name such as Asia/Tokyo or UTC.")
    return value


def host(value: Any) -> str:
    """A host name or an IP literal, as it may stand in a SIP URI and in Asterisk's configuration."""
    if not isinstance(value, str) or not (_is_address(value) or _HOST.fullmatch(value)):
        raise _wrong(f"“{printable(str(value))}” is not a host. Use a host name or an IP address, without a port.")
    return value


def network(value: Any) -> str:
    """An IP address, an IPv4 address with a port, or a network such as 192.0.2.0/24."""
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9.]+:[0-9]{1,5}", value):
            address, _, port = value.partition(":")
            if not 0 < int(port) < 65536:
                raise ValueError(port)
            return f"{ipaddress.ip_address(address)}:{int(port)}"
        return str(ipaddress.ip_network(value, strict=False)) if "/" in value else str(ipaddress.ip_address(value))
    except (ValueError, TypeError):
        raise _wrong(
            f"“{printable(str(value))}” is neither an IP address (192.0.2.1, or 192.0.2.1:5060) nor a network such as "
            "192.0.2.0/24."
        ) from None


def has_port(address: str) -> bool:
    """Of what :func:`network` gave."""
    return "." in address and ":" in address and not address.count(":") > 1


def matching(pattern: str, sentence: str) -> Check:
    """A text of which the whole matches; for what goes into configuration files."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise _wrong(sentence)
        return value

    return check


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _wrong(sentence: str) -> Refused:
    return Refused("invalid", sentence)
