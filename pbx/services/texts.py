"""Writing texts: what is accepted stands in the database before anybody is told so (T1, T2, P3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from crm import ids
from crm.errors import Refused
from crm.records import as_dict
from crm.services import opt_outs, texts
from crm.services.texts import NewText
from crm.text_states import State
from crm.texts import Conversation, OptOut, Text
from crm.unit_of_work import Actor, Store, UnitOfWork
from pbx.core.messaging import gate
from pbx.services.hub import Hub
from pbx.services.text_gate import Intent, Judged, TextGate

LONGEST = 10_000
MOST_FILES = 10
FURTHEST_US = 366 * 24 * 3_600_000_000
HELD_LOOK_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """To a number, or into a conversation. ``at_us`` schedules it."""

    body: str = ""
    to: str = ""
    conversation_id: str = ""
    at_us: int | None = None
    record_id: str | None = None
    attachment_ids: Sequence[str] = ()


class TextRefused(Refused):
    """By the gate; ``verdict`` knows which numbers would do, and when."""

    def __init__(self, verdict: gate.Verdict) -> None:
        status = HTTPStatus.FORBIDDEN if verdict.reason in _RIGHTS else HTTPStatus.UNPROCESSABLE_ENTITY
        super().__init__(str(verdict.reason), verdict.sentence, _FIELDS.get(verdict.reason), status)
        self.verdict = verdict
        self.extra = {"would_do": list(verdict.would_do) or None, "opens_us": verdict.opens_us}


_RIGHTS = (gate.Reason.NOT_YOUR_NUMBER, gate.Reason.USER_INACTIVE)
_FIELDS = {
    gate.Reason.INVALID_NUMBER: "to",
    gate.Reason.CANNOT_RECEIVE: "to",
    gate.Reason.EMPTY: "body",
    gate.Reason.TOO_LONG: "body",
    gate.Reason.HOURS: "at_us",
}


class Texts:
    """What users do with texts. ``due`` is called when the outbox has something to do."""

    def __init__(self, store: Store, gate_: TextGate, hub: Hub, due: Callable[[], None]) -> None:
        self._store = store
        self._gate = gate_
        self._hub = hub
        self._due = due

    async def preview(self, user_id: str, draft: Draft) -> Judged:
        """What sending would come to: nothing is written."""
        check_body(draft.body)
        _check_moment(draft.at_us, self._store.clock())
        async with self._store.read() as session:
            return await self._gate.judge(session, await self._intent(session, user_id, draft))

    async def send(self, actor: Actor, user_id: str, draft: Draft, text_id: str = "") -> Text:
        """Accept a text, or refuse it with the reason. The same ``text_id`` a second time gives the first one."""
        check_body(draft.body)
        async with self._store.write(actor) as work:
            if text_id and await texts.exists(work.session, text_id):
                return await texts.text(work.session, text_id)
            text, conversation = await self._accept(work, user_id, draft, text_id)
        self.tell(text, conversation)
        self._due()
        return text

    async def cancel(self, actor: Actor, text_id: str) -> Text:
        async with self._store.write(actor) as work:
            text, conversation = await texts.cancel(work, text_id)
        self.tell(text, conversation)
        return text

    async def mark_read(self, actor: Actor, conversation_id: str, is_read: bool) -> Conversation:
        async with self._store.write(actor) as work:
            conversation = await texts.mark_read(work, conversation_id, is_read)
        self._hub.conversation_changed(conversation.user_id, as_dict(conversation))
        return conversation

    async def file_under(self, actor: Actor, conversation_id: str, record_id: str | None) -> Conversation:
        async with self._store.write(actor) as work:
            conversation = await texts.file_under(work, conversation_id, record_id)
        self._hub.conversation_changed(conversation.user_id, as_dict(conversation))
        return conversation

    async def opt_out(self, actor: Actor, number: str, source: str, detail: str = "") -> OptOut:
        """From the next text on nobody writes there; what waits fails with the reason when its turn comes."""
        async with self._store.write(actor) as work:
            return await opt_outs.add(work, {"number": number, "source": source, "detail": detail})

    def tell(self, text: Text, conversation: Conversation) -> None:
        """The consoles of who may see it, after it stands in the store."""
        self._hub.text_changed(conversation.user_id, as_dict(text), as_dict(conversation))

    # -- accepting ----------------------------------------------------------------------------------

    async def _accept(self, work: UnitOfWork, user_id: str, draft: Draft, text_id: str) -> tuple[Text, Conversation]:
        _check_moment(draft.at_us, work.at_us)
        intent = await self._intent(work.session, user_id, draft)
        judged = await self._gate.judge(work.session, intent)
        if not judged.verdict.allowed and not judged.verdict.holds:
            raise TextRefused(judged.verdict)
        new = _new(intent, judged, draft, str(work.actor), text_id, work.at_us)
        text, conversation = await texts.add(work, new)
        if conversation.user_id != user_id:  # the number went to somebody else this very moment
            raise Refused("not_your_number", "This number is not yours any more. Reload the page.", None, 403)
        return text, conversation

    async def _intent(self, session: object, user_id: str, draft: Draft) -> Intent:
        """A reply goes from the number that the conversation is with: only who has it may write there (T2)."""
        at_us = draft.at_us or self._store.clock()
        sender, to = self._gate.number_of(user_id), draft.to
        if draft.conversation_id:
            conversation = await texts.show(session, draft.conversation_id)  # type: ignore[arg-type]
            sender, to = conversation.did, conversation.customer_number
            if conversation.user_id != user_id:
                raise _not_yours()
        return Intent(user_id, sender, to, draft.body, at_us, bool(draft.attachment_ids))


def check_body(body: str) -> None:
    """Every character arrives as it was typed (T3); what is no character at all cannot."""
    if len(body) > LONGEST:
        raise Refused("too_long", f"A text has {LONGEST} characters at most. Shorten it, or send two.", "body")
    for character in body:
        if unicodedata.category(character) == "Cs" or (character < " " and character not in "\n\r\t"):
            raise Refused("invalid", "This text holds half a character or a control character. Type it again.", "body")


def text_id_of(request_id: str) -> str:
    """The id of the text that a request makes, so that the same request makes it once."""
    return f"{ids.TEXT}_{request_id.rpartition('_')[2]}"


def _new(intent: Intent, judged: Judged, draft: Draft, author: str, text_id: str, now_us: int) -> NewText:
    state, next_us = State.QUEUED, now_us
    if judged.verdict.holds:
        state, next_us = State.HELD, max(draft.at_us or 0, now_us + HELD_LOOK_US)
    elif draft.at_us is not None:
        state, next_us = State.SCHEDULED, draft.at_us
    held = judged.verdict.holds
    return NewText(
        did=intent.sender,
        customer_number=judged.receiver.e164,
        direction="out",
        author=author,
        body=intent.body,
        encoding=str(judged.count.encoding),
        segments=judged.count.segments,
        state=str(state),
        id=text_id,
        code=str(judged.verdict.reason) if held else None,
        reason=judged.verdict.sentence if held else None,
        price_micros=judged.price.micros if judged.price else None,
        currency=judged.price.currency if judged.price else None,
        scheduled_us=draft.at_us,
        next_us=next_us,
        campaign_id=judged.campaign.id if judged.campaign else None,
        record_id=draft.record_id,
        attachment_ids=tuple(draft.attachment_ids),
    )


def _check_moment(at_us: int | None, now_us: int) -> None:
    if at_us is not None and not now_us <= at_us <= now_us + FURTHEST_US:
        raise Refused("bad_moment", "Choose a moment from now on, within a year.", "at_us")


def _not_yours() -> Refused:
    return Refused(
        "not_your_number",
        "Only who has the number that this text came to can reply. Ask them, or write from your own number.",
        None,
        HTTPStatus.FORBIDDEN,
    )
