"""What a browser may send to the switch: SIP requests in the name of its own phone, one to a frame (RFC 7118).

Digest stays the real authentication; this keeps a page from even trying another name. It must not be possible to read
a frame in two ways, so whatever a parser could take differently is refused: a second From, a body longer or shorter
than it says, a second message behind the first (Asterisk would read that too).

Names compared here are those of the endpoint: From of every request that begins something, To and From of REGISTER,
and the username of every digest. Inside a dialog that the switch began, the browser's own From is the address it
registered (RFC 3261, 12.1.1): names of its contacts are let through there, and only there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LARGEST = 32_000
"""Characters; Asterisk's own limit for a SIP message is the same number of bytes."""

_COMPACT = {"f": "from", "t": "to", "l": "content-length", "m": "contact"}
_ONCE = ("from", "to", "content-length")
_REQUEST = re.compile(r"[A-Z]{3,20} [^\s]{1,2000} SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 [1-6][0-9]{2} .*")
_ADDRESS = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|[^"<>,;:]*?)\s*<sips?:([^@<>;:?/"\s]+)@[^<>"\s]+>', re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"\s*sips?:([^@<>;:?/\"\s]+)@[^<>;\"\s]+", re.IGNORECASE)
_PARAMETERS = re.compile(r'(?:[^<>,]|"<urn:uuid:[0-9A-Fa-f-]+>")*')
"""Angle brackets there only as browsers' phones name themselves (+sip.instance, RFC 5626)."""
_TO_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_USERNAME = re.compile(r'\busername\*?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]+))', re.IGNORECASE)

NOT_SIP = "This is not one SIP message."
ANOTHER = "This names another phone than that of this login."


class Refusal(Exception):
    """The connection must end; the text says why."""


@dataclass(slots=True)
class _Message:
    method: str
    headers: dict[str, list[str]]

    def first(self, name: str) -> str:
        return self.headers.get(name, [""])[0]


@dataclass(slots=True)
class Speaker:
    """One connection of the phone ``device``. Remembers under which names it has registered."""

    device: str
    contacts: set[str] = field(default_factory=set)

    def check(self, frame: str) -> None:
        """Raises Refusal for what may not be passed on. Line ends that keep a connection alive pass (RFC 5626)."""
        if not frame.strip("\r\n"):
            return
        message = _read(frame)
        if not message.method:
            return
        allowed = {self.device}
        if message.method != "REGISTER" and _TO_TAG.search(message.first("to")):
            allowed |= self.contacts
        names = {_name(message.first("from"))}
        if message.method == "REGISTER":
            names.add(_name(message.first("to")))
        if not names <= allowed or not _usernames(message) <= {self.device}:
            raise Refusal(ANOTHER)
        if message.method == "REGISTER":
            self._remember({_name(contact) for contact in message.headers.get("contact", ())} - {""})

    def _remember(self, names: set[str]) -> None:
        if len(self.contacts | names) > _MOST_CONTACTS:
            raise Refusal("This phone has registered under too many names. Connect again.")
        self.contacts |= names


_MOST_CONTACTS = 20


def _read(frame: str) -> _Message:
    """``method`` is empty for a response. Raises Refusal."""
    head, blank, body = frame.partition("\r\n\r\n")
    start, _, rest = re.sub(r"\r\n[ \t]+", " ", head).partition("\r\n")
    if not blank or "\n" in rest.replace("\r\n", "") or "\r" in rest.replace("\r\n", "") or "\0" in head:
        raise Refusal(NOT_SIP)
    headers = _headers(rest)
    length = headers.get("content-length", [""])[0]
    if any(len(headers.get(name, ())) != 1 for name in _ONCE):
        raise Refusal(NOT_SIP)
    if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) != len(body.encode("utf-8", "surrogateescape")):
        raise Refusal(NOT_SIP)
    if _RESPONSE.fullmatch(start):
        return _Message("", headers)
    if not _REQUEST.fullmatch(start):
        raise Refusal(NOT_SIP)
    return _Message(start.partition(" ")[0], headers)


def _headers(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not re.fullmatch(r"[a-z0-9!%*_+`'~.-]{1,60}", name):
            raise Refusal(NOT_SIP)
        found.setdefault(_COMPACT.get(name, name), []).append(value.strip())
    return found


def _name(address: str) -> str:
    """The user of an address, or nothing where it has none that could be read in one way only."""
    match = _ADDRESS.match(address) or _BARE_ADDRESS.match(address)
    return match[1] if match and _PARAMETERS.fullmatch(address, match.end()) else ""


def _usernames(message: _Message) -> set[str]:
    """Of every digest; one without a user name counts as one of nobody."""
    digests = [*message.headers.get("authorization", ()), *message.headers.get("proxy-authorization", ())]
    found = set()
    for digest in digests:
        names = [quoted or bare for quoted, bare in _USERNAME.findall(digest)]
        found |= set(names) or {""}
    return found
