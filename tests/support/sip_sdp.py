"""Session descriptions (RFC 4566, 3264) of one audio stream."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

STATIC = {0: "PCMU", 8: "PCMA", 9: "G722", 18: "G729"}
PAYLOADS = {"PCMU": 0, "PCMA": 8}
DTMF_PAYLOAD = 101
MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True)
class Sdp:
    """What a peer said of its audio: where to send, in which codecs, in which direction."""

    host: str
    port: int
    codecs: dict[int, str] = field(default_factory=dict)
    direction: str = "sendrecv"
    crypto: str | None = None
    text: str = ""

    @property
    def dtmf_payload(self) -> int | None:
        return next((number for number, name in self.codecs.items() if name == "telephone-event"), None)

    def first_of(self, ours: tuple[str, ...]) -> str | None:
        """The offer's first codec that we have too."""
        return next((name for name in self.codecs.values() if name in ours), None)

    @classmethod
    def parse(cls, body: bytes) -> Sdp:
        text = body.decode("utf-8", "replace")
        head, _, media = text.partition("m=audio ")
        host = re.search(r"^c=IN IP\d (\S+)", media, re.MULTILINE) or re.search(r"^c=IN IP\d (\S+)", head, re.MULTILINE)
        line = media.split("\n", 1)[0].split()
        numbers = [int(number) for number in line[2:] if number.isdigit()]
        names = {int(number): name for number, name in re.findall(r"^a=rtpmap:(\d+) ([^/\s]+)", media, re.MULTILINE)}
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", media or head, re.MULTILINE)
        crypto = re.search(r"^a=crypto:(.*?)\s*$", media, re.MULTILINE)
        return cls(
            host=host[1] if host else "",
            port=int(line[0]) if line else 0,
            codecs={number: names.get(number, STATIC.get(number, str(number))) for number in numbers},
            direction=direction[1] if direction else "sendrecv",
            crypto=crypto[1] if crypto else None,
            text=text,
        )


def build_sdp(
    host: str,
    port: int,
    codecs: tuple[str, ...],
    direction: str = "sendrecv",
    version: int = 1,
    dtmf: bool = True,
    crypto: str | None = None,
) -> bytes:
    """An offer or answer with these codecs in this order, 20 ms packets; SRTP where `crypto` is given."""
    numbers = [PAYLOADS[name] for name in codecs]
    listed = " ".join(str(number) for number in [*numbers, *([DTMF_PAYLOAD] if dtmf else [])])
    session = int(time.time())
    lines = [
        "v=0",
        f"o=phone {session} {version} IN IP4 {host}",
        "s=call",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} {'RTP/AVP' if crypto is None else 'RTP/SAVP'} {listed}",
        *([f"a=crypto:{crypto}"] if crypto is not None else []),
        *(f"a=rtpmap:{number} {name}/8000" for number, name in zip(numbers, codecs, strict=True)),
        *([f"a=rtpmap:{DTMF_PAYLOAD} telephone-event/8000", f"a=fmtp:{DTMF_PAYLOAD} 0-16"] if dtmf else []),
        "a=ptime:20",
        f"a={direction}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()
