"""Texts by SMPP 3.4: one session to an SMSC for both directions, opened again whenever it is lost (T5)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from smpplib import consts

from crm import phone_numbers
from crm.errors import Refused as NotTaken
from pbx.adapters.sms import smpp_words as words
from pbx.adapters.sms.smpp_parts import Gathered, Parts
from pbx.adapters.sms.smpp_session import TEMPORARY_FOR_US, Login, Lost, NotBound, Session
from pbx.services.ports_texts import (
    Accepted,
    DeliveryReport,
    IncomingText,
    OutgoingText,
    Refused,
    Sent,
    TextSink,
    TransportSettings,
    Uncertain,
)

log = structlog.get_logger("smpp")

LONGEST_WAIT_S = 60.0
IN_ALL_S = 28.0
THROTTLED_S = 1.0
REPEATED_WITHIN_S = 600.0
MISSING = " […] "

_TEMPORARY = {
    consts.SMPP_ESME_RTHROTTLED: ("throttled", "The carrier asks us to send more slowly; it is tried again."),
    consts.SMPP_ESME_RMSGQFUL: ("queue_full", "The carrier's queue is full; it is tried again."),
    consts.SMPP_ESME_RSYSERR: ("system_error", "The carrier has a fault; it is tried again."),
    consts.SMPP_ESME_RX_T_APPN: ("temporary", "The carrier takes no texts now; it is tried again."),
}
_PERMANENT = {
    consts.SMPP_ESME_RINVSRCADR: "The carrier does not let this number send texts: ask it to switch texts on",
    consts.SMPP_ESME_RINVDSTADR: "The carrier knows no such number: check it",
    consts.SMPP_ESME_RINVMSGLEN: "The text is too long for the carrier",
    consts.SMPP_ESME_RSUBMITFAIL: "The carrier refused the text",
}


class SmppTransport:
    """Texts of several parts are accepted when all of them are; ``folder`` keeps parts that came in."""

    repeatable = False
    carries_media = False

    def __init__(
        self,
        settings: TransportSettings,
        sink: TextSink,
        folder: Path,
        home: Callable[[], str] = lambda: "US",
    ) -> None:
        options = settings.options
        self._login = Login(
            host=str(options["host"]),
            port=int(options.get("port") or 2775),
            tls=bool(options.get("tls")),
            system_id=str(options["system_id"]),
            password=settings.secrets.get("password", ""),
            system_type=str(options.get("system_type") or ""),
            window=int(options.get("window") or 10),
            enquire_s=float(options.get("enquire_s") or 30),
        )
        self._latin = options.get("alphabet") == "latin1"
        self._decimal = options.get("receipt_ids") == "decimal"
        self._id, self._sink, self._home = settings.id, sink, home
        self._parts = Parts(folder / settings.id)
        self._session: Session | None = None
        self._problem = "It is connecting."
        self._sessions = 0
        self._recent: dict[str, tuple[str, float]] = {}
        self._joining = asyncio.Lock()

    @property
    def ready(self) -> bool:
        return self._session is not None and not self._session.closed

    @property
    def condition(self) -> str:
        return f"Connected to {self._login.host} as {self._login.system_id}." if self.ready else self._problem

    # -- the connection -----------------------------------------------------------------------------

    async def run(self) -> None:
        wait_s = 0.5
        while True:
            began = time.monotonic()
            try:
                await self._while_bound()
            except (Lost, NotBound) as error:
                self._problem = f"{error} It is tried again."
                if isinstance(error, NotBound) and error.ours:
                    wait_s = LONGEST_WAIT_S
            log.info("smpp.away", transport=self._id, why=self._problem)
            wait_s = 0.5 if time.monotonic() - began > LONGEST_WAIT_S else min(LONGEST_WAIT_S, wait_s * 2)
            await asyncio.sleep(wait_s * random.uniform(0.5, 1))

    async def _while_bound(self) -> None:
        session = await Session.open(self._login, self._delivered)
        self._session, self._sessions = session, self._sessions + 1
        self._problem = "The connection was lost; it is tried again."
        log.info("smpp.bound", transport=self._id, host=self._login.host)
        try:
            await self._hand_over_stale()
            await session.run()
        finally:
            self._session = None
            await asyncio.shield(session.close() if session.closed else session.unbind())

    # -- out ----------------------------------------------------------------------------------------

    async def send(self, text: OutgoingText) -> Sent:
        session = self._session
        if session is None or session.closed:
            return Refused("not_connected", self._problem, False)
        until = time.monotonic() + IN_ALL_S
        ids: list[str] = []
        for piece in words.pieces(text.body, text.message_id, self._latin):
            try:
                answer = await self._submit(session, text, piece, until if ids else 0.0)
            except Lost as error:
                if error.left or ids:
                    return Uncertain("no_answer", str(error))
                return Refused("not_connected", str(error), False)
            if answer.status != consts.SMPP_ESME_ROK:
                return self._refused(answer.status, bool(ids))
            ids.append(self._id_of(answer))
        return Accepted(ids[0], tuple(ids) if len(ids) > 1 else ())

    async def _submit(self, session: Session, text: OutgoingText, piece: words.Piece, until: float) -> Any:
        """A part that is throttled when others of its text have gone is tried again here: only whole texts are."""
        source, source_ton, source_npi = words.address(text.sender)
        target, target_ton, target_npi = words.address(text.receiver)
        while True:
            answer = await session.submit(
                source_addr=source,
                source_addr_ton=source_ton,
                source_addr_npi=source_npi,
                destination_addr=target,
                dest_addr_ton=target_ton,
                dest_addr_npi=target_npi,
                esm_class=piece.esm_class,
                data_coding=piece.coding,
                registered_delivery=1,
                short_message=piece.octets,
            )
            if answer.status not in _TEMPORARY or time.monotonic() + THROTTLED_S > until:
                return answer
            await asyncio.sleep(THROTTLED_S)

    @staticmethod
    def _refused(status: int, partly: bool) -> Sent:
        if partly:
            return Uncertain(f"smpp_{status}", "The carrier took only a part of the text.")
        if status in _TEMPORARY:
            code, sentence = _TEMPORARY[status]
            return Refused(code, sentence, False, THROTTLED_S * 2 if code == "throttled" else None)
        said = consts.DESCRIPTIONS.get(status, "unknown")
        meaning = _PERMANENT.get(status, "The carrier refused the text")
        return Refused(f"smpp_{status}", f"{meaning} ({said}).", True)

    def _id_of(self, answer: Any) -> str:
        """Some carriers give the id in hexadecimal, and name it in receipts in decimal."""
        named = (answer.message_id or b"").decode("ascii", "replace")
        with contextlib.suppress(ValueError):
            return str(int(named, 16)) if self._decimal else named
        return str(named)

    # -- in -----------------------------------------------------------------------------------------

    async def _delivered(self, pdu: Any) -> int:
        octets = pdu.short_message or getattr(pdu, "message_payload", None) or b""
        try:
            if words.is_receipt(pdu.esm_class):
                await self._receipt(pdu, octets)
            else:
                await self._text(pdu, octets)
        except NotTaken as refused:
            if refused.status != 503:
                log.warning("smpp.text_refused", why=refused.message)
                return int(consts.SMPP_ESME_ROK)
            return TEMPORARY_FOR_US
        return int(consts.SMPP_ESME_ROK)

    async def _receipt(self, pdu: Any, octets: bytes) -> None:
        found = words.receipt(octets, vars(pdu))
        if found is None:
            log.warning("smpp.receipt_unreadable", transport=self._id)
        elif found.state is not None:
            await self._sink.reported(
                DeliveryReport(
                    self._id, found.state, _now_us(), provider_id=found.id, code=found.code, sentence=found.sentence
                )
            )

    async def _text(self, pdu: Any, octets: bytes) -> None:
        sender = self._e164(pdu.source_addr, pdu.source_addr_ton)
        receiver = self._e164(pdu.destination_addr, pdu.dest_addr_ton)
        part, rest = words.part_of(octets, pdu.esm_class)
        part = part or _joined_by_parameters(pdu, octets)
        if part is None:
            body = words.decoded(rest, pdu.data_coding, self._latin)
            await self._received(sender, receiver, body)
            return
        async with self._joining:
            gathered = await asyncio.to_thread(self._parts.keep, part, sender, receiver, pdu.data_coding)
            if gathered.whole:
                await self._hand_over(gathered)

    async def _hand_over(self, gathered: Gathered) -> None:
        if gathered.whole:
            octets = [each for each in gathered.octets if each is not None]
            body = words.joined(octets, gathered.coding, self._latin)
        else:
            shown = [words.decoded(each, gathered.coding, self._latin) if each else MISSING for each in gathered.octets]
            body = "".join(shown)
        await self._received(gathered.sender, gathered.receiver, body)
        await asyncio.to_thread(self._parts.drop, gathered.key)

    async def _hand_over_stale(self) -> None:
        for gathered in await asyncio.to_thread(self._parts.stale):
            with contextlib.suppress(NotTaken):
                await self._hand_over(gathered)

    async def _received(self, sender: str, receiver: str, body: str) -> None:
        named = self._name(sender, receiver, body)
        await self._sink.received(IncomingText(self._id, named, sender, receiver, body, _now_us()))

    def _name(self, sender: str, receiver: str, body: str) -> str:
        """SMPP gives texts no ids. What comes again over another session was not known there to be acknowledged: it is
        the same text; what comes again over the same one is another."""
        now, session = time.monotonic(), self._sessions
        known = {key: entry for key, entry in self._recent.items() if now - entry[1] < REPEATED_WITHIN_S}
        digest = hashlib.sha256(f"{sender}|{receiver}|{body}".encode()).hexdigest()
        named, came_over = known.get(digest, ("", 0.0))[0].rpartition("@")[::2]
        if not named or came_over == str(session):
            named = uuid.uuid4().hex
        known[digest] = (f"{named}@{session}", now)
        self._recent = known
        return named

    def _e164(self, written: bytes | None, kind: int | None) -> str:
        found = words.number((written or b"").decode("latin-1"), kind or 0)
        try:
            return phone_numbers.as_e164(found, self._home())
        except NotTaken:
            return found


def _joined_by_parameters(pdu: Any, octets: bytes) -> words.Part | None:
    """Parts that are told by optional parameters instead of a header (SMPP 3.4, section 5.3.2.22)."""
    total, number = getattr(pdu, "sar_total_segments", None), getattr(pdu, "sar_segment_seqnum", None)
    reference = getattr(pdu, "sar_msg_ref_num", None)
    if reference is None or not total or not number or total < 2 or number > total:
        return None
    return words.Part(reference, total, number, octets)


def _now_us() -> int:
    return time.time_ns() // 1000
