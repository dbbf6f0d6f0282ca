"""Texts as SIP MESSAGE over a trunk that carries calls, both ways (RFC 3428).

The other side's answer is the text's state: 2xx has it, everything else does not. Reports come as RFC 5438 writes them
(message/imdn+xml), and name our text by the Call-ID that it was sent with.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from email.message import Message
from xml.etree import ElementTree

import structlog

from crm import phone_numbers
from crm.directory import Directory
from crm.errors import Refused as NotValid
from crm.records import Trunk
from pbx.adapters.asterisk.ami import AmiError
from pbx.adapters.asterisk.texts import Answer, NotSupported, SipTexts, SpooledText
from pbx.core.gate import Destination
from pbx.services.ports_texts import (
    Accepted,
    Delivery,
    DeliveryReport,
    IncomingText,
    OutgoingText,
    Refused,
    Sent,
    TextSink,
    TransportSettings,
    Uncertain,
)
from pbx.services.routing import as_dialled

log = structlog.get_logger("sip_message")

REPORT = "message/imdn+xml"
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_.@-]{1,128}")
_TEMPORARY = {408, 423, 429, 480, 486, 500, 502, 503, 504, 513, 580, 600}
_MEANINGS = {
    400: "The carrier does not understand the text",
    401: "The carrier does not know this trunk: check its user name and secret",
    403: "The carrier does not let this trunk or this number send texts: ask it to switch texts on",
    404: "The carrier knows no such number: check it",
    405: "The carrier takes no texts over this trunk: choose another transport for this number",
    406: "The carrier does not take texts of this kind",
    407: "The carrier does not know this trunk: check its user name and secret",
    413: "The text is too long for the carrier: send it in parts",
    415: "The carrier does not take texts of this kind",
    480: "The receiver cannot be reached now",
    484: "The carrier finds the number incomplete: check it",
    486: "The receiver is busy",
    501: "The carrier takes no texts over this trunk: choose another transport for this number",
    503: "The carrier takes no texts now",
    603: "The receiver declined the text",
    604: "The carrier knows no such number: check it",
}


class SipMessageTransport:
    """``trunk`` of its options is the id or name of one; empty is the first one that is switched on, for what goes
    out, and all of them for what comes in."""

    repeatable = False
    carries_media = False

    def __init__(
        self, settings: TransportSettings, sink: TextSink, texts: SipTexts, directory: Callable[[], Directory]
    ) -> None:
        self._id = settings.id
        self._wanted = str(settings.options.get("trunk") or "")
        self._domain = str(settings.options.get("domain") or "")
        self._sink, self._texts, self._directory = sink, texts, directory

    @property
    def ready(self) -> bool:
        return self._texts.connected and self._trunk() is not None

    @property
    def condition(self) -> str:
        trunk = self._trunk()
        if trunk is None:
            return "There is no trunk for it: add one, or choose one that is switched on."
        if not self._texts.connected:
            return "Asterisk is away; texts wait until it is back."
        return f"Texts go over the trunk {trunk.name}."

    async def send(self, text: OutgoingText) -> Sent:
        trunk = self._trunk()
        if trunk is None:
            return Refused("no_trunk", "There is no trunk for texts: add one, or choose one that is on.", False)
        try:
            answer = await self._texts.send(
                text.message_id,
                trunk.id,
                request_uri(trunk, text.receiver),
                from_uri(trunk, text.sender, self._domain),
                text.body,
            )
        except NotSupported:
            return Refused(
                "not_supported",
                "This Asterisk cannot tell what becomes of a text: run the one that Switchhook builds, or choose "
                "another transport.",
                True,
            )
        except AmiError:
            return Refused("asterisk_away", "Asterisk does not take texts now; it is tried again.", False)
        except TimeoutError:
            return Uncertain("no_answer", "Asterisk did not tell what became of the text.")
        return read_answer(answer, text.message_id)

    async def run(self) -> None:
        """What comes in is handed on for as long as this transport stands."""
        directory, name = self._directory(), self._wanted
        chosen = next((trunk.id for trunk in directory.trunks if name in (trunk.id, trunk.name)), name)
        end = self._texts.subscribe(chosen, self._take)
        try:
            await asyncio.Event().wait()
        finally:
            end()

    def _trunk(self) -> Trunk | None:
        usable = (trunk for trunk in self._directory().trunks if trunk.enabled)
        return next((trunk for trunk in usable if self._wanted in ("", trunk.id, trunk.name)), None)

    # -- in -----------------------------------------------------------------------------------------

    async def _take(self, text: SpooledText) -> None:
        kind = Message()
        kind["Content-Type"] = text.content_type or "text/plain"
        if kind.get_content_type() == REPORT:
            await self._take_report(text)
        elif kind.get_content_type() == "text/plain":
            await self._sink.received(self._incoming(text, _decoded(text.body, kind.get_content_charset("utf-8"))))
        else:
            log.warning("text.of_another_kind", kind=text.content_type, sender=text.sender)

    def _incoming(self, text: SpooledText, body: str) -> IncomingText:
        return IncomingText(
            transport=self._id,
            provider_id=text.id,
            sender=self._e164(text.sender),
            receiver=self._e164(text.receiver),
            body=body.rstrip("\r\n"),
            at_us=text.at_us,
        )

    async def _take_report(self, text: SpooledText) -> None:
        report = read_report(text.body, self._id)
        if report is None:
            log.warning("text.report_unreadable", sender=text.sender)
        else:
            await self._sink.reported(report)

    def _e164(self, user: str) -> str:
        """Carriers write numbers in ways of their own; what is no number (a short code, a name) stays as it is."""
        home = str(self._directory().settings["default_country"])
        try:
            return phone_numbers.as_e164(user, home)
        except NotValid:
            return user


def request_uri(trunk: Trunk, number: str) -> str:
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    port = "" if trunk.port == 5060 else f":{trunk.port}"
    transport = "" if trunk.transport == "udp" else f";transport={trunk.transport}"
    return f"sip:{as_dialled(trunk, Destination(number))}@{host}{port}{transport}"


def from_uri(trunk: Trunk, number: str, domain: str = "") -> str:
    """The user's DID, as in calls (V6), at the carrier's own address, or the domain that it wants to see."""
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    return f"<sip:{number}@{domain or host}>"


def read_answer(answer: Answer, message_id: str) -> Sent:
    """A refusal of the other side is one for certain; silence may be a text that arrived."""
    if answer.heard and 200 <= answer.status < 300:
        return Accepted(message_id)
    if not answer.heard:
        if answer.status == 408:
            return Uncertain("sip_408", "The carrier did not answer.")
        return Refused(f"sip_{answer.status}", "The carrier cannot be reached; it is tried again.", False)
    meaning = _MEANINGS.get(answer.status, "The carrier refused the text")
    temporary = answer.status in _TEMPORARY
    wait = float(answer.retry_after_s) if answer.retry_after_s else None
    sentence = f"{meaning} ({answer.status} {answer.reason})."
    return Refused(f"sip_{answer.status}", sentence, not temporary, wait)


def read_report(body: bytes, transport: str) -> DeliveryReport | None:
    """RFC 5438, section 11. None for what is none; entities and document types are not read at all."""
    if b"<!" in body or len(body) > 10_000:
        return None
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
    words = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in root.iter()}
    message_id = words.get("message-id", "")
    if not _MESSAGE_ID.fullmatch(message_id):
        return None
    at_us = time.time_ns() // 1000
    if "delivered" in words:
        return DeliveryReport(transport, Delivery.DELIVERED, at_us, provider_id=message_id, message_id=message_id)
    if words.keys() & {"failed", "forbidden", "error"}:
        sentence = "The receiver's network could not deliver the text."
        return DeliveryReport(transport, Delivery.FAILED, at_us, message_id, message_id, "imdn_failed", sentence)
    return None


def _decoded(body: bytes, charset: str | None) -> str:
    """UTF-8 unless it says another one; what is not valid is shown as such rather than lost."""
    for name in (charset or "utf-8", "utf-8"):
        try:
            return body.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("latin-1")
