"""Providers whose API is shaped like Twilio's: forms, basic authentication, HMAC-SHA1 over address and fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from pbx.adapters.public_http import Reply
from pbx.adapters.sms.dialects import Became, Came, Request, accepted, at, form_of, json_of, refusal, words
from pbx.services.ports_texts import Delivery, OutgoingText, Sent, TransportSettings, Webhook

USUAL = "https://api.twilio.com"

_STATES = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
}
_MEANINGS = {
    "21610": "The receiver has asked the provider for no more texts.",
    "30003": "The receiver's phone is off or out of reach.",
    "30004": "The receiver's network blocks the text.",
    "30005": "The number is not in service: check it.",
    "30006": "The number is a landline that takes no texts.",
    "30007": "The network took the text for spam: change its words, or register the campaign.",
    "30034": "The number belongs to no registered 10DLC campaign: register one.",
}


class Twilio:
    """Options: ``account`` (its SID), ``url``, ``public_url``; secrets: ``secret`` (the auth token, or that of an API
    key) and ``signing_key`` where webhooks are signed with another one."""

    repeatable = False
    carries_media = True
    thanks = (b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")

    def __init__(self, settings: TransportSettings, hook_url: str) -> None:
        self._account = str(settings.options.get("account") or "")
        self._secret = settings.secrets.get("secret", "")
        self._key = (settings.secrets.get("signing_key") or self._secret).encode()
        self._base = str(settings.options.get("url") or USUAL).rstrip("/")
        self._hook_url = hook_url

    def request(self, text: OutgoingText) -> Request:
        fields = [("From", text.sender), ("To", text.receiver), ("Body", text.body)]
        fields += [("MediaUrl", media.url) for media in text.media if media.url]
        if self._hook_url:
            fields.append(("StatusCallback", self._hook_url))
        url = f"{self._base}/2010-04-01/Accounts/{quote(self._account)}/Messages.json"
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._login()}
        return Request("POST", url, headers, urlencode(fields).encode())

    def _login(self) -> dict[str, str]:
        login = base64.b64encode(f"{self._account}:{self._secret}".encode()).decode()
        return {"Authorization": f"Basic {login}"}

    def read(self, reply: Reply, text: OutgoingText) -> Sent:
        try:
            said = json_of(reply.body)
        except ValueError:
            said = None
        if 200 <= reply.status < 300:
            return accepted(words(at(said, "sid")))
        code = words(at(said, "code"))
        return refusal(reply, code, _MEANINGS.get(code, words(at(said, "message"))).rstrip("."))

    def genuine(self, hook: Webhook, now_s: float) -> bool:
        """Of the fields as they were sent, sorted by name, after the address that the provider asked for."""
        try:
            fields = form_of(hook.body)
        except ValueError:
            return False
        signed = hook.url + "".join(name + value for name, value in sorted(set(fields)))
        digest = base64.b64encode(hmac.new(self._key, signed.encode(), hashlib.sha1).digest())
        given = hook.headers.get("x-twilio-signature", "").encode()
        return bool(self._key) and hmac.compare_digest(digest, given)

    def told(self, hook: Webhook) -> Came | Became | None:
        fields = dict(form_of(hook.body))
        named = fields.get("MessageSid") or fields.get("SmsSid", "")
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        if not named:
            raise ValueError("It names no text.")
        if status and status != "received":
            code = fields.get("ErrorCode", "")
            sentence = _MEANINGS.get(code, fields.get("ErrorMessage", ""))
            return Became(_STATES.get(status), named, code=code, sentence=sentence)
        count = min(10, int(fields.get("NumMedia") or "0"))
        media = [fields[f"MediaUrl{at}"] for at in range(count) if fields.get(f"MediaUrl{at}")]
        ours = all(url.startswith(f"{self._base}/") for url in media)
        headers = self._login() if ours else {}
        return Came(named, fields["From"], fields["To"], fields.get("Body", ""), media, headers)
