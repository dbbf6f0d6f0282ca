"""SIP that is none: messages cut, swapped, doubled and blown up, the same ones in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

_LINES = (
    b"INVITE sip:+12065550199@127.0.0.1 SIP/2.0",
    b"Via: SIP/2.0/%T 127.0.0.1:9;rport;branch=z9hG4bK-%N",
    b"Max-Forwards: 70",
    b"From: <sip:100@127.0.0.1>;tag=%N",
    b"To: <sip:+12065550199@127.0.0.1>",
    b"Call-ID: malformed-%N",
    b"CSeq: 1 INVITE",
    b"Contact: <sip:100@127.0.0.1:9>",
    b"Content-Type: application/sdp",
)
_SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
_VALUES = (
    b"",
    b" ",
    b"-1",
    b"99999999999999999999",
    b"\x00\x01\x02",
    b"\xff\xfe\xc3\x28",
    b"<" * 2000,
    b'"' * 999,
    b"(" * 3000,
    b"sip:" + b"a" * 8000,
    b"<sip:@:@:@[::::]>",
    b"<sip:a@b;x=y;" + b"p=1;" * 1500 + b">",
    b"*",
    b"0 " + b"X" * 500,
    b"4294967296 INVITE",
    b"SIP/2.0/UDP [::1]:99999;branch=",
    b"%00%0d%0a",
    b"text\r\n folded\r\n\tagain",
    b"\xe2\x80\xae",
    b"<sip:100@127.0.0.1>;tag=" + b"%" * 900,
)
_STARTS = (
    b"INVITE",
    b"INVITE sip: SIP/2.0",
    b"SIP/2.0 999 ",
    b"SIP/2.0 -1 x",
    b"\x16\x03\x01\x02\x00",
    b"GET / HTTP/1.1",
    b"INVITE sip:a@b SIP/3.0",
    b"inv\x00ite sip:a@b SIP/2.0",
    b"REGISTER " + b"sip:" * 999 + b" SIP/2.0",
)
_BODIES = (_SDP[:30], _SDP * 40, b"m=audio " * 500, b"\x00" * 3000, b"v=0\r\nm=audio 99999999 RTP/AVP " + b"0 " * 900)


def messages(transport: str, count: int, seed: int = 12) -> Iterator[bytes]:
    """So many of them, each with names of its own."""
    chance = random.Random(seed)
    for number in range(count):
        raw = _one(chance).replace(b"%T", transport.encode()).replace(b"%N", f"{transport}-{number}".encode())
        yield raw[:60_000]


def _one(chance: random.Random) -> bytes:
    lines, body = list(_LINES), _SDP
    match chance.randrange(9):
        case 0:
            return chance.randbytes(chance.randrange(1, 1500))
        case 1:
            lines[0] = chance.choice(_STARTS)
        case 2:
            del lines[chance.randrange(1, len(lines))]
        case 3:
            lines *= chance.randrange(2, 20)
        case 4:
            body = chance.choice(_BODIES)
        case 5:
            return _whole(lines, body)[: chance.randrange(4, 400)] + chance.choice((b"", b"\r\n\r\n"))
        case 6:
            return _whole(lines, body, length=chance.choice((b"-5", b"0", b"70000", b"x", b"99999999999999")))
        case _:
            at = chance.randrange(1, len(lines))
            lines[at] = lines[at].partition(b":")[0] + b": " + chance.choice(_VALUES)
    return _whole(lines, body)


def _whole(lines: list[bytes], body: bytes, length: bytes | None = None) -> bytes:
    size = str(len(body)).encode() if length is None else length
    return b"\r\n".join([*lines, b"Content-Length: " + size]) + b"\r\n\r\n" + body
