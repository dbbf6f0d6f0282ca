"""Any other provider: its request is a template, what it tells is found by paths, and signed with HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from pbx.adapters.public_http import Reply
from pbx.adapters.sms.dialects import Became, Came, Request, accepted, at, form_of, json_of, refusal, words
from pbx.services.ports_texts import Delivery, OutgoingText, Sent, TransportSettings, Webhook

STALE_S = 300
_FIELD = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_JSON = "application/json"
USUAL_TEMPLATE = '{"id": "{{message_id}}", "from": "{{sender}}", "to": "{{receiver}}", "text": "{{body}}"}'

_DELIVERED, _FAILED, _SENT = {"delivered", "ok", "read"}, {"failed", "undelivered", "rejected", "expired"}, {"sent"}


class TemplateProvider:
    """Options, besides those of every HTTP provider: ``method``, ``headers`` (lines), ``template`` and
    ``content_type`` (the body), ``id_path`` (in the answer), ``repeatable`` (it knows our message id again);
    ``signature_header`` and ``timestamp_header``; ``came`` and ``became`` (lines such as ``sender = from.number``).

    In address, headers and body ``{{sender}}``, ``{{receiver}}``, ``{{body}}``, ``{{message_id}}``, ``{{encoding}}``,
    ``{{segments}}``, ``{{campaign}}``, ``{{media}}``, ``{{webhook}}`` and ``{{secret}}`` are filled in, written as the
    place needs it.
    """

    thanks = (b"", "text/plain")

    def __init__(self, settings: TransportSettings, hook_url: str) -> None:
        options = settings.options
        self._url = str(options.get("url") or "")
        self._method = str(options.get("method") or "POST")
        self._headers = _lines(str(options.get("headers") or ""), ":")
        self._template = str(options.get("template") or USUAL_TEMPLATE)
        self._type = str(options.get("content_type") or _JSON)
        self._id_path = str(options.get("id_path") or "id")
        self.repeatable = bool(options.get("repeatable"))
        self._secret = settings.secrets.get("secret", "")
        self._key = settings.secrets.get("signing_key", "").encode()
        self._signature = str(options.get("signature_header") or "X-Signature").lower()
        self._stamp = str(options.get("timestamp_header") or "").lower()
        self._came = _CAME | _lines(str(options.get("came") or ""), "=")
        self._became = _BECAME | _lines(str(options.get("became") or ""), "=")
        self._hook_url = hook_url
        self.carries_media = "{{media}}" in self._template + self._url

    def request(self, text: OutgoingText) -> Request:
        values = self._values(text)
        as_json = self._type.partition(";")[0].strip() in (_JSON, "text/json")
        in_body: Callable[[str], str] = _in_json if as_json else quote_plus
        headers = {name: _fill(value, values, _in_header) for name, value in self._headers.items()}
        if self.repeatable:
            headers.setdefault("Idempotency-Key", text.message_id)
        url = _fill(self._url, values, lambda value: quote(value, safe=""))
        if self._method == "GET":
            return Request("GET", url, headers, b"")
        headers.setdefault("Content-Type", self._type)
        return Request(self._method, url, headers, _fill(self._template, values, in_body).encode())

    def _values(self, text: OutgoingText) -> dict[str, str]:
        return {
            "message_id": text.message_id,
            "sender": text.sender,
            "receiver": text.receiver,
            "body": text.body,
            "encoding": text.encoding,
            "segments": str(text.segments),
            "campaign": text.campaign,
            "media": " ".join(media.url for media in text.media if media.url),
            "webhook": self._hook_url,
            "secret": self._secret,
        }

    def read(self, reply: Reply, text: OutgoingText) -> Sent:
        try:
            said = json_of(reply.body)
        except ValueError:
            said = None
        if 200 <= reply.status < 300:
            return accepted(words(at(said, self._id_path)))
        return refusal(reply, "", words(at(said, "message")) or words(at(said, "error")))

    def genuine(self, hook: Webhook, now_s: float) -> bool:
        """Over the raw body, or over ``<time stamp>.<body>`` where there is a header for it; hex or base 64, with or
        without ``sha256=`` before it."""
        signed = hook.body
        if self._stamp:
            stamp = hook.headers.get(self._stamp, "")
            if not stamp.isdigit() or abs(now_s - int(stamp)) > STALE_S:
                return False
            signed = stamp.encode() + b"." + hook.body
        digest = hmac.new(self._key, signed, hashlib.sha256).digest()
        given = hook.headers.get(self._signature, "").removeprefix("sha256=").encode()
        forms = (digest.hex().encode(), base64.b64encode(digest))
        return bool(self._key) and any([hmac.compare_digest(form, given) for form in forms])

    def told(self, hook: Webhook) -> Came | Became | None:
        said = self._read_hook(hook)
        status = words(at(said, self._became["status"])).lower()
        if status:
            named, ours = words(at(said, self._became["id"])), words(at(said, self._became["message_id"]))
            code, sentence = words(at(said, self._became["code"])), words(at(said, self._became["reason"]))
            return Became(_state(status), named, ours, code, sentence)
        named, sender, receiver = (words(at(said, self._came[name])) for name in ("id", "sender", "receiver"))
        if not named or not sender or not receiver:
            raise ValueError("It lacks id, sender or receiver.")
        media = at(said, self._came["media"])
        urls = [words(url) for url in media[:10]] if isinstance(media, list) else []
        return Came(named, sender, receiver, words(at(said, self._came["body"])), [url for url in urls if url])

    @staticmethod
    def _read_hook(hook: Webhook) -> Any:
        if hook.method == "GET":
            return dict(hook.query)
        form = hook.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return dict(form_of(hook.body)) if form else json_of(hook.body)


_CAME = {"id": "id", "sender": "from", "receiver": "to", "body": "text", "media": "media"}
_BECAME = {"id": "id", "message_id": "message_id", "status": "status", "code": "code", "reason": "reason"}


def _state(status: str) -> Delivery | None:
    if status in _DELIVERED:
        return Delivery.DELIVERED
    if status in _FAILED:
        return Delivery.FAILED
    return Delivery.SENT if status in _SENT else None


def _lines(text: str, mark: str) -> dict[str, str]:
    pairs = (line.partition(mark) for line in text.splitlines() if mark in line)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _fill(template: str, values: Mapping[str, str], write: Callable[[str], str]) -> str:
    """What is filled in is not looked through again: a text may hold ``{{secret}}``."""
    return _FIELD.sub(lambda found: write(values[found[1]]) if found[1] in values else found[0], template)


def _in_json(value: str) -> str:
    """Between the quotation marks of the template."""
    return json.dumps(value)[1:-1]


def _in_header(value: str) -> str:
    return "".join(character for character in value if character.isprintable())
