"""Addresses under which a provider may fetch the files of a text, and nobody who was not given one (T3, T5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

MEDIA = "/api/v1/text-media/"
HOLDS_S = 24 * 3600
"""Providers fetch within minutes, and again where they try anew."""


class MediaAddresses:
    """Of one transport. They are signed with a key made of its own secret: whoever changes that makes old ones void."""

    def __init__(self, public_url: str, transport_id: str, secret: str, now_s: Callable[[], float]) -> None:
        self._base = f"{public_url}{MEDIA}{transport_id}/" if public_url else ""
        self._key = hmac.new(secret.encode(), b"media of texts", hashlib.sha256).digest() if secret else b""
        self._now_s = now_s

    def of(self, attachment_id: str) -> str:
        """Empty where the provider could not reach us."""
        if not self._base or not self._key:
            return ""
        until = int(self._now_s()) + HOLDS_S
        return f"{self._base}{attachment_id}?until={until}&signature={self._signature(attachment_id, until)}"

    def genuine(self, attachment_id: str, until: int, signature: str) -> bool:
        right = hmac.compare_digest(self._signature(attachment_id, until).encode(), signature.encode())
        return bool(self._key) and right and self._now_s() <= until

    def _signature(self, attachment_id: str, until: int) -> str:
        digest = hmac.new(self._key, f"{attachment_id}|{until}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
