"""Providers whose API is shaped like Telnyx's: JSON, a bearer token, Ed25519 over time stamp and body."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pbx.adapters.public_http import Reply
from pbx.adapters.sms.dialects import Became, Came, Request, accepted, at, json_of, refusal, words
from pbx.services.ports_texts import Delivery, OutgoingText, Sent, TransportSettings, Webhook

USUAL = "https://api.telnyx.com"
STALE_S = 300

_STATES = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "delivery_failed": Delivery.FAILED,
    "sending_failed": Delivery.FAILED,
}


class Telnyx:
    """Options: ``account`` (a messaging profile), ``url``, ``public_url``; secrets: ``secret`` (the API key) and
    ``signing_key`` (their public key)."""

    repeatable = False
    carries_media = True
    thanks = (b"", "text/plain")

    def __init__(self, settings: TransportSettings, hook_url: str) -> None:
        self._profile = str(settings.options.get("account") or "")
        self._secret = settings.secrets.get("secret", "")
        self._key = _public_key(settings.secrets.get("signing_key", ""))
        self._base = str(settings.options.get("url") or USUAL).rstrip("/")
        self._hook_url = hook_url

    def request(self, text: OutgoingText) -> Request:
        message: dict[str, object] = {"from": text.sender, "to": text.receiver, "text": text.body}
        if media := [each.url for each in text.media if each.url]:
            message["media_urls"] = media
        if self._hook_url:
            message["webhook_url"] = self._hook_url
        if self._profile:
            message["messaging_profile_id"] = self._profile
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._secret}"}
        return Request("POST", f"{self._base}/v2/messages", headers, json.dumps(message).encode())

    def read(self, reply: Reply, text: OutgoingText) -> Sent:
        try:
            said = json_of(reply.body)
        except ValueError:
            said = None
        if 200 <= reply.status < 300:
            return accepted(words(at(said, "data.id")))
        why = words(at(said, "errors.0.detail")) or words(at(said, "errors.0.title"))
        return refusal(reply, words(at(said, "errors.0.code")), why.rstrip("."))

    def genuine(self, hook: Webhook, now_s: float) -> bool:
        stamp = hook.headers.get("telnyx-timestamp", "")
        if self._key is None or not stamp.isdigit() or abs(now_s - int(stamp)) > STALE_S:
            return False
        try:
            given = base64.b64decode(hook.headers.get("telnyx-signature-ed25519", ""), validate=True)
            self._key.verify(given, stamp.encode() + b"|" + hook.body)
        except (InvalidSignature, ValueError):
            return False
        return True

    def told(self, hook: Webhook) -> Came | Became | None:
        event = json_of(hook.body)
        payload = at(event, "data.payload")
        if not isinstance(payload, Mapping):
            raise ValueError("It has no payload.")
        named = words(payload.get("id"))
        if at(event, "data.event_type") == "message.received":
            media = [words(at(each, "url")) for each in (payload.get("media") or [])[:10]]
            sender, receiver = words(at(payload, "from.phone_number")), words(at(payload, "to.0.phone_number"))
            return Came(named, sender, receiver, words(payload.get("text")), [url for url in media if url])
        if at(event, "data.event_type") in ("message.sent", "message.finalized"):
            code = words(at(payload, "errors.0.code"))
            sentence = words(at(payload, "errors.0.detail")) or words(at(payload, "errors.0.title"))
            state = _STATES.get(words(at(payload, "to.0.status")))
            return Became(state, named, code=code, sentence=sentence)
        return None


def _public_key(text: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError:
        return None
