"""SIP messages (RFC 3261, section 7) as the test phone reads and writes them.

Nothing is validated or escaped on the way out: tests of hostile input must be able to send anything.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "e": "content-encoding",
    "s": "subject",
    "x": "session-expires",
    "r": "refer-to",
    "b": "referred-by",
    "o": "event",
}
REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}
MAGIC = "z9hG4bK"
_ADDRESS = re.compile(r'^\s*(?:"((?:\\.|[^"\\])*)"|([^<"]*))\s*<([^>]*)>(.*)$', re.DOTALL)


class MalformedSip(ValueError):
    """The bytes are not a SIP message."""


def token(length: int = 8) -> str:
    """A random tag, branch or Call-ID."""
    return secrets.token_hex(length)


@dataclass
class SipMessage:
    """A request or a response. Header names keep their writing; look-ups ignore case and compact forms."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def is_request(self) -> bool:
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Of a response: the method it answers."""
        return self.start.split(" ", 1)[0] if self.is_request else self.cseq[1]

    @property
    def uri(self) -> str:
        return self.start.split(" ", 1)[1].rsplit(" ", 1)[0]

    @property
    def status(self) -> int:
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def reason(self) -> str:
        return "" if self.is_request else self.start.split(" ", 2)[2]

    @property
    def call_id(self) -> str:
        return self.header("Call-ID") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        number, method = (self.header("CSeq") or "0 NONE").split()[:2]
        return int(number), method

    @property
    def branch(self) -> str:
        return parameter(self.header("Via") or "", "branch") or ""

    @property
    def from_tag(self) -> str:
        return Address.parse(self.header("From") or "").parameter("tag") or ""

    @property
    def to_tag(self) -> str:
        return Address.parse(self.header("To") or "").parameter("tag") or ""

    def header(self, name: str) -> str | None:
        """The first header of that name, or None."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.headers if COMPACT.get(key.lower(), key.lower()) == wanted]

    def with_header(self, name: str, value: str) -> SipMessage:
        """A copy in which `name` stands once, with this value."""
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return SipMessage(self.start, [*kept, (name, value)], self.body)

    def encode(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body

    @classmethod
    def parse(cls, data: bytes) -> SipMessage:
        head, _, body = data.partition(b"\r\n\r\n")
        text = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape"))
        start, *lines = text.split("\r\n")
        if "SIP/2.0" not in start:
            raise MalformedSip(f"The first line is not SIP: {start[:80]!r}")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
        kept = [pair for pair in headers if COMPACT.get(pair[0].lower(), pair[0].lower()) != "content-length"]
        return cls(start, kept, body)

    def reply(
        self,
        status: int,
        to_tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        reason: str | None = None,
    ) -> SipMessage:
        """A response to this request (RFC 3261, 8.2.6)."""
        answer = SipMessage(f"SIP/2.0 {status} {reason or REASONS.get(status, 'Answer')}", body=body)
        for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
            for value in self.all(name):
                if name == "To" and to_tag and not self.to_tag:
                    value = f"{value};tag={to_tag}"
                answer.headers.append((name, value))
        answer.headers.extend(headers)
        return answer


@dataclass(frozen=True)
class Address:
    """A name-addr with its header parameters: `"Mio" <sip:rep1@host>;tag=1`."""

    name: str
    uri: str
    parameters: str

    @classmethod
    def parse(cls, text: str) -> Address:
        if match := _ADDRESS.match(text):
            quoted, plain, uri, rest = match.groups()
            name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").strip()
            return cls(name, uri, rest)
        uri, _, rest = text.partition(";")
        return cls("", uri.strip(), f";{rest}" if rest else "")

    def parameter(self, name: str) -> str | None:
        return parameter(self.parameters, name)

    @property
    def user(self) -> str:
        """The part before the @, without its user parameters."""
        return uri_user(self.uri)


def uri_user(uri: str) -> str:
    inner = uri.split(":", 1)[-1]
    return inner.rsplit("@", 1)[0].split(";")[0] if "@" in inner else ""


def parameter(text: str, name: str) -> str | None:
    """The value of `;name=value`; an empty string for a parameter without a value."""
    match = re.search(rf';\s*{re.escape(name)}\s*(?:=\s*("[^"]*"|[^;,\s]*))?(?=[;,\s]|$)', text, re.IGNORECASE)
    return None if match is None else (match[1] or "").strip('"')


def split_stream(buffer: bytes) -> tuple[list[bytes], bytes]:
    """Cut a TCP stream into whole messages by Content-Length; what is left over comes second."""
    messages: list[bytes] = []
    while True:
        buffer = buffer.lstrip(b"\r\n")  # keep-alives (RFC 5626)
        head, found, rest = buffer.partition(b"\r\n\r\n")
        if not found:
            return messages, buffer
        match = re.search(rb"(?:^|\r\n)(?:content-length|l)\s*:\s*(\d+)", head, re.IGNORECASE)
        length = int(match[1]) if match else 0
        if len(rest) < length:
            return messages, buffer
        messages.append(head + b"\r\n\r\n" + rest[:length])
        buffer = rest[length:]
