"""SRTP (RFC 3711) with keys in SDP (RFC 4568): AES_CM_128_HMAC_SHA1_80 only, as one call's media needs it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SUITE = "AES_CM_128_HMAC_SHA1_80"
TAG_BYTES = 10
KEY_BYTES, SALT_BYTES = 16, 14


def new_key() -> bytes:
    """Master key and master salt."""
    return os.urandom(KEY_BYTES + SALT_BYTES)


def crypto_line(key: bytes, tag: str = "1") -> str:
    """The value of `a=crypto:`."""
    return f"{tag} {SUITE} inline:{base64.b64encode(key).decode()}"


def key_of(crypto: str) -> bytes | None:
    """The key in a peer's `a=crypto:`; None for another suite."""
    match = re.match(rf"\d+ {SUITE} inline:([A-Za-z0-9+/=]+)", crypto)
    return base64.b64decode(match[1]) if match else None


class SrtpStream:
    """One direction. Counts how often the sequence number of each source came round."""

    def __init__(self, key: bytes) -> None:
        master, salt = key[:KEY_BYTES], key[KEY_BYTES:]
        self._cipher_key = _derived(master, salt, 0, 16)
        self._tag_key = _derived(master, salt, 1, 20)
        self._salt = int.from_bytes(_derived(master, salt, 2, 14), "big") << 16
        self._highest: dict[int, int] = {}
        self.forged = 0

    def protect(self, packet: bytes) -> bytes:
        index, header = self._index(packet), _header_length(packet)
        sealed = packet[:header] + self._crypted(packet, header, index, packet[header:])
        return sealed + self._tag(sealed, index)

    def unprotect(self, packet: bytes) -> bytes | None:
        """The plain packet; None (and counted) where the tag is wrong."""
        sealed, tag = packet[:-TAG_BYTES], packet[-TAG_BYTES:]
        if len(sealed) < 12:
            return None
        index = self._index(sealed)
        if not hmac.compare_digest(tag, self._tag(sealed, index)):
            self.forged += 1
            return None
        header = _header_length(sealed)
        return sealed[:header] + self._crypted(sealed, header, index, sealed[header:])

    def _index(self, packet: bytes) -> int:
        """Roll-over counter and sequence number as one (3.3.1)."""
        sequence, source = struct.unpack("!H", packet[2:4])[0], struct.unpack("!I", packet[8:12])[0]
        highest = self._highest.get(source, sequence)
        index = (highest >> 16 << 16) | sequence
        if index - highest > 0x8000 and index >= 0x10000:
            index -= 0x10000
        elif highest - index > 0x8000:
            index += 0x10000
        self._highest[source] = max(index, highest)
        return int(index)

    def _crypted(self, packet: bytes, header: int, index: int, payload: bytes) -> bytes:
        source = struct.unpack("!I", packet[8:12])[0]
        start = self._salt ^ (source << 64) ^ (index << 16)
        return _counter_mode(self._cipher_key, start, payload)

    def _tag(self, sealed: bytes, index: int) -> bytes:
        counted = sealed + struct.pack("!I", index >> 16)
        return hmac.new(self._tag_key, counted, hashlib.sha1).digest()[:TAG_BYTES]


def _header_length(packet: bytes) -> int:
    length = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        length += 4 + 4 * struct.unpack("!H", packet[length + 2 : length + 4])[0]
    return length


def _derived(master: bytes, salt: bytes, label: int, length: int) -> bytes:
    """A session key (4.3.1), with a key derivation rate of zero."""
    start = (int.from_bytes(salt, "big") ^ (label << 48)) << 16
    return _counter_mode(master, start, bytes(length))


def _counter_mode(key: bytes, start: int, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    return encryptor.update(data) + encryptor.finalize()
