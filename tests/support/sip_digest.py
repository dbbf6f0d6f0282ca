"""Digest authentication (RFC 8760 and 2617) from the phone's side."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from tests.support.sip_message import token

ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True)
class Challenge:
    """What a 401 or 407 asked for."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str | None = None
    qop: bool = False

    @classmethod
    def parse(cls, header: str) -> Challenge:
        found = re.findall(r'(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^,\s]+))', header)
        fields = {name.lower(): quoted or bare for name, quoted, bare in found}
        return cls(
            realm=fields.get("realm", ""),
            nonce=fields.get("nonce", ""),
            algorithm=fields.get("algorithm", "MD5").upper(),
            opaque=fields.get("opaque"),
            qop="auth" in fields.get("qop", "").split(","),
        )

    @property
    def known(self) -> bool:
        return self.algorithm in ALGORITHMS


def authorization(challenge: Challenge, user: str, secret: str, method: str, uri: str) -> str:
    """The value of the Authorization or Proxy-Authorization header."""
    algorithm = ALGORITHMS[challenge.algorithm]

    def digest(*parts: str) -> str:
        return algorithm(":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    secret_hash = digest(user, challenge.realm, secret)
    request_hash = digest(method, uri)
    fields = {"username": user, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
    text = "Digest " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
    text += f", algorithm={challenge.algorithm}"
    if challenge.qop:
        cnonce, count = token(), "00000001"
        response = digest(secret_hash, challenge.nonce, count, cnonce, "auth", request_hash)
        text += f', qop=auth, nc={count}, cnonce="{cnonce}"'
    else:
        response = digest(secret_hash, challenge.nonce, request_hash)
    text += f', response="{response}"'
    return text + (f', opaque="{challenge.opaque}"' if challenge.opaque is not None else "")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
