"""What comes in: texts to numbers of ours, the words that are obeyed at once, and reports of what was sent (T4, T7)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from crm.directory import Directory
from crm.errors import Refused
from crm.law.words import Word
from crm.phone_numbers import try_parse
from crm.services import opt_outs, text_attachments, text_outbox, texts
from crm.services.text_attachments import NewAttachment
from crm.services.texts import NewText
from crm.text_states import State
from crm.texts import Conversation, Text
from crm.unit_of_work import ENGINE, Store, UnitOfWork
from pbx.core.messaging import segments
from pbx.services.ports_texts import DeliveryReport, IncomingText, ReceivedMedia
from pbx.services.text_files import TextFiles
from pbx.services.text_gate import SHORTEST_PLAN

log = structlog.get_logger("texts")

HOUR_US = 3_600_000_000
_SPOKEN = {"JP": "ja", "DE": "de", "AT": "de", "FR": "fr", "ES": "es", "MX": "es", "AR": "es", "CO": "es"}
TRIES = 3
Told = Callable[[Text, Conversation], None]


class TextInbox:
    """Fulfils :class:`~pbx.services.ports_texts.TextSink`: what it has taken stands in the store."""

    def __init__(
        self, store: Store, directory: Callable[[], Directory], files: TextFiles, told: Told, due: Callable[[], None]
    ) -> None:
        self._store = store
        self._directory = directory
        self._files = files
        self._told = told
        self._due = due

    async def received(self, text: IncomingText) -> None:
        files = [await self._kept(each) for each in text.media]
        for attempt in range(1, TRIES + 1):
            try:
                changed = await self._write(text, files)
                break
            except Refused as refused:  # somebody wrote in the same conversation at the same moment
                if refused.status != 409 or attempt == TRIES:
                    raise
        for each in changed:
            self._told(*each)
        if changed:
            self._due()

    async def reported(self, report: DeliveryReport) -> None:
        async with self._store.write(ENGINE) as work:
            changed = await text_outbox.report(
                work,
                report.transport,
                report.provider_id,
                report.message_id,
                str(report.state),
                report.code,
                report.sentence,
                report.at_us,
            )
        if changed is not None:
            self._told(*changed)
            self._due()

    async def _write(self, text: IncomingText, files: list[NewAttachment]) -> list[tuple[Text, Conversation]]:
        """The text, and what it brings about, in one transaction: an opt-out is in force with it."""
        async with self._store.write(ENGINE) as work:
            if await texts.known(work.session, text.transport, text.provider_id):
                return []
            ids = tuple([(await text_attachments.add(work, each)).id for each in files])
            new = self._new(text, ids)
            changed = [await texts.add(work, new)]
            word = self._directory().law.word(text.body)
            answer = await self._obey(work, word, *changed[0]) if word is not None else None
            return [*changed, answer] if answer is not None else changed

    def _new(self, text: IncomingText, attachment_ids: tuple[str, ...]) -> NewText:
        body = _storable(text.body)
        count = segments.count(body)
        return NewText(
            did=self._e164(text.receiver),
            customer_number=self._e164(text.sender),
            direction="in",
            author="customer",
            body=body,
            encoding=str(count.encoding),
            segments=count.segments,
            state=str(State.RECEIVED),
            transport_id=text.transport,
            provider_id=text.provider_id,
            attachment_ids=attachment_ids,
        )

    async def _obey(
        self, work: UnitOfWork, word: Word, text: Text, conversation: Conversation
    ) -> tuple[Text, Conversation] | None:
        """Do what was asked for, and confirm it once."""
        number = text.customer_number
        out = await opt_outs.contains(work.session, number)
        if word.kind == "stop" and not out:
            await opt_outs.add(work, {"number": number, "source": "keyword", "detail": text.body.strip()[:100]})
        elif word.kind == "start" and out:
            await opt_outs.remove(work, number)
        elif word.kind != "help":
            return None
        author = f"auto:{word.kind}"
        since_us = work.at_us - HOUR_US
        if word.kind == "help" and await texts.answered_since(work.session, conversation.id, author, since_us):
            return None
        return await texts.add(work, self._answer(text, word, author, work.at_us))

    def _answer(self, text: Text, word: Word, author: str, now_us: int) -> NewText:
        body = self._reply(word, text.customer_number)
        count = segments.count(body)
        return NewText(
            did=text.did,
            customer_number=text.customer_number,
            direction="out",
            author=author,
            body=body,
            encoding=str(count.encoding),
            segments=count.segments,
            state=str(State.QUEUED),
            next_us=now_us,
        )

    async def _kept(self, media: ReceivedMedia) -> NewAttachment:
        return await self._files.keep(media.content, media.content_type, media.name)

    def _e164(self, number: str) -> str:
        """As E.164 where it is a telephone number; short codes and names of senders stay as they are."""
        digits = number.strip()
        if digits.isdigit() and len(digits) < SHORTEST_PLAN:
            return digits
        parsed = try_parse(digits, self._directory().settings["default_country"])
        return parsed.e164 if parsed else _storable(digits)[:40]

    def _reply(self, word: Word, number: str) -> str:
        """People everywhere write STOP, and want the answer in their own language."""
        parsed = try_parse(number, "ZZ") if number.startswith("+") else None
        spoken = _SPOKEN.get(parsed.country) if parsed is not None and word.language == "en" else None
        directory = self._directory()
        reply = directory.law.reply(word.kind, spoken) if spoken else word.reply
        return reply.replace("{organisation}", directory.settings["organisation.name"])


def _storable(text: str) -> str:
    """Whole, but for what no database keeps: NUL, and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
