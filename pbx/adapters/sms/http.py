"""Texts by an HTTP provider: a request for each that goes out, a signed webhook for each that comes in (T5)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import Message
from urllib.parse import unquote, urlsplit

import structlog

from crm import phone_numbers
from crm.errors import Refused as NotTaken
from crm.web_addresses import NotAllowed
from pbx.adapters.public_http import Failed, PublicHttp, Reply
from pbx.adapters.sms.dialects import Became, Came, Dialect
from pbx.adapters.sms.media import MediaAddresses
from pbx.adapters.sms.telnyx import Telnyx
from pbx.adapters.sms.template import TemplateProvider
from pbx.adapters.sms.twilio import Twilio
from pbx.services.ports_texts import (
    DeliveryReport,
    IncomingText,
    OutgoingText,
    ReceivedMedia,
    Refused,
    Sent,
    TextSink,
    TransportSettings,
    Uncertain,
    Webhook,
    WebhookReply,
)

log = structlog.get_logger("sms_http")

SEND_S = 20.0
FILE_S = 15.0
MOST_FILE_BYTES = 5_000_000
FILE_TYPES = re.compile(r"(image|audio|video)/[a-z0-9.+-]{1,60}|text/(plain|x?-?vcard|calendar)|application/pdf")
WEBHOOK = "/api/v1/text-webhooks/"
_NO_ADDRESS = (
    "The provider fetches pictures and files from here, and does not know where: an admin has to set the transport's "
    "public address and its secret. Send the text without them meanwhile."
)

_DIALECTS: Mapping[str, Callable[[TransportSettings, str], Dialect]] = {
    "twilio": Twilio,
    "telnyx": Telnyx,
    "template": TemplateProvider,
}


class HttpTransport:
    def __init__(
        self,
        settings: TransportSettings,
        sink: TextSink,
        http: PublicHttp,
        now_s: Callable[[], float] = time.time,
        home: Callable[[], str] = lambda: "US",
    ) -> None:
        public = str(settings.options.get("public_url") or "").rstrip("/")
        self._hook_url = f"{public}{WEBHOOK}{settings.id}" if public else ""
        self._id, self._sink, self._http, self._now_s, self._home = settings.id, sink, http, now_s, home
        self._provider = str(settings.options.get("provider") or "twilio")
        self.media = MediaAddresses(public, settings.id, settings.secrets.get("secret", ""), now_s)
        self._dialect = _DIALECTS[self._provider](settings, self._hook_url)
        self._problem = ""

    @property
    def repeatable(self) -> bool:
        return self._dialect.repeatable

    @property
    def carries_media(self) -> bool:
        return self._dialect.carries_media

    @property
    def ready(self) -> bool:
        return True

    @property
    def condition(self) -> str:
        return self._problem or "Texts go out by requests to the provider."

    async def run(self) -> None:
        """There is no connection to be kept."""
        await asyncio.Event().wait()

    # -- out ----------------------------------------------------------------------------------------

    async def send(self, text: OutgoingText) -> Sent:
        sent = await self._send(text)
        self._problem = "" if not isinstance(sent, Refused) or sent.permanent else sent.sentence
        return sent

    async def _send(self, text: OutgoingText) -> Sent:
        text = replace(text, media=tuple(replace(each, url=self.media.of(each.id)) for each in text.media))
        if not all(each.url for each in text.media):
            return Refused("no_public_url", _NO_ADDRESS, True)
        request = self._dialect.request(text)
        try:
            reply = await self._http.request(
                request.method, request.url, headers=request.headers, body=request.body or None, in_all_s=SEND_S
            )
        except NotAllowed as error:
            return Refused("address_not_allowed", str(error), False)
        except Failed as error:
            if error.left:
                return Uncertain("no_answer", str(error))
            return Refused("unreachable", f"{error} It is tried again.", False)
        return self._dialect.read(reply, text)

    # -- in -----------------------------------------------------------------------------------------

    async def webhook(self, request: Webhook) -> WebhookReply:
        if not self._dialect.genuine(self._as_signed(request), self._now_s()):
            log.warning("sms_http.signature_wrong", transport=self._id, address=request.address)
            return WebhookReply(401)
        try:
            told = self._dialect.told(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("sms_http.unreadable", transport=self._id, why=str(error))
            return WebhookReply(400)
        try:
            await self._pass_on(told)
        except NotTaken as refused:
            if refused.status == 503:
                return WebhookReply(503)
            raise
        return WebhookReply(200, *self._dialect.thanks)

    def _as_signed(self, request: Webhook) -> Webhook:
        """Signed is the address that the provider was given, whatever a proxy before us makes of it."""
        if not self._hook_url:
            return request
        query = request.url.partition("?")[2]
        url = f"{self._hook_url}?{query}" if query else self._hook_url
        return Webhook(request.method, url, request.headers, request.query, request.body, request.address)

    async def _pass_on(self, told: Came | Became | None) -> None:
        at_us = int(self._now_s() * 1_000_000)
        if isinstance(told, Came):
            media = await asyncio.gather(*(self._fetched(url, told.media_headers) for url in told.media))
            sender, receiver = self._e164(told.sender), self._e164(told.receiver)
            files = tuple(each for each in media if each is not None)
            await self._sink.received(
                IncomingText(self._id, told.provider_id, sender, receiver, told.body, at_us, files)
            )
        elif told is not None and told.state is not None:
            await self._sink.reported(
                DeliveryReport(self._id, told.state, at_us, told.provider_id, told.message_id, told.code, told.sentence)
            )

    async def _fetched(self, url: str, headers: Mapping[str, str]) -> ReceivedMedia | None:
        """A file that cannot be had, is too large or of a kind nobody expects in a text does not keep the text away."""
        try:
            reply = await self._http.request(
                "GET", url, headers=headers, in_all_s=FILE_S, most_bytes=MOST_FILE_BYTES, redirects=3
            )
        except (NotAllowed, Failed) as error:
            log.warning("sms_http.file_not_fetched", transport=self._id, why=str(error))
            return None
        kind = _kind(reply)
        if reply.status != 200 or not reply.whole or not FILE_TYPES.fullmatch(kind):
            log.warning("sms_http.file_left", transport=self._id, status=reply.status, kind=kind, whole=reply.whole)
            return None
        return ReceivedMedia(kind, _name(url, reply), reply.body)

    def _e164(self, number: str) -> str:
        """What is no number (a short code, a name) stays as it is."""
        try:
            return phone_numbers.as_e164(number, self._home())
        except NotTaken:
            return number


def _kind(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _name(url: str, reply: Reply) -> str:
    """As the other side calls it, without any folder."""
    header = Message()
    header["Content-Disposition"] = reply.headers.get("content-disposition", "")
    name = header.get_filename() or unquote(urlsplit(url).path.rpartition("/")[2])
    clean = re.sub(r"[^\w.\- ]+", "_", name.rpartition("/")[2].rpartition("\\")[2]).strip(". ")
    return clean[:100] or "file"
