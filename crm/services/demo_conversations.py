"""What the demo organisation has written and been told: a page of texts that looks as it does after a week."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from crm.models.telephony import Number
from crm.models.texts import Conversation
from crm.services import opt_outs, text_templates, texts
from crm.services.texts import NewText
from crm.unit_of_work import Actor, UnitOfWork

MINUTE_US = 60_000_000
HOUR, DAY = 60, 24 * 60
MIO, SAM, ALEX = "+14155550101", "+14155550102", "+14155550103"


class Line(NamedTuple):
    """``ago`` in minutes; ``theirs``: the customer wrote it."""

    ago: int
    theirs: bool
    body: str
    state: str = "delivered"
    reason: str | None = None


_GONE = "The receiver's network did not deliver it. Check the number, or call instead."
_STORIES: tuple[tuple[str, str, tuple[Line, ...]], ...] = (
    (SAM, "+12065550150", (
        Line(2 * DAY + 30, False, "Hello Olivia, this is Sam Carter. The offer for 120 desk phones is on its way."),
        Line(2 * DAY + 12, True, "Got it, thank you! Can we have them before the holidays?"),
        Line(2 * DAY + 5, False, "Yes, if you decide by Friday. 📦"),
        Line(95, True, "We take them 🎉 Please send the contract to purchasing."),
        Line(94, True, "And one question: does the price include mounting on the wall?"),
    )),
    (SAM, "+12065550130", (
        Line(DAY + 200, False, "Sam, are you on site at Lakeside today?"),
        Line(DAY + 180, True, "On the road, there at 3 👍"),
        Line(DAY + 178, False, "Fine, I'll tell them.", "sent"),
    )),
    (SAM, "+12065550159", (
        Line(3 * DAY, False, "Hello Max, is this still your number?", "failed", _GONE),
    )),
    (MIO, "+819012345678", (
        Line(DAY + 90, True, "田中です。来月の契約更新の件、見積書は届きますでしょうか？"),
        Line(DAY + 80, False, "田中様、お世話になっております。本日中にメールでお送りいたします。"),
        Line(DAY + 60, True, "ありがとうございます。よろしくお願いします😊"),
    )),
    (MIO, "+12065550131", (
        Line(5 * HOUR, False, "Hello Lucy, the invoice for March is on its way."),
        Line(4 * HOUR, True, "STOP"),
    )),
    (MIO, "+12065550156", (
        Line(6 * HOUR, False, "Hello Noah, when may I call you back?"),
        Line(40, True, "Any time after 4 pm, please."),
    )),
    (ALEX, "+12065550154", (
        Line(4 * DAY, True, "Hello Alex, can you look at our support contract before Thursday?"),
        Line(4 * DAY - 20, False, "Of course, Elena. I call you tomorrow at 10."),
    )),
)  # fmt: skip
_REFUSED = "+12065550131"
_TEMPLATES = (
    ("Offer sent", "Hello {{contact.name}}, our offer is in your mail. Any questions? Just answer this text."),
    ("Call back", "Hello {{contact.name}}, I could not reach you just now. When may I call you back?"),
    ("日程のご連絡", "{{contact.name}}様、お世話になっております。ご都合のよい日時をお知らせください。"),
)


async def seed_conversations(work: UnitOfWork) -> list[tuple[str, str, int]]:
    """Only where there are none; of those of ours that their carrier took: the id, who got it, and when."""
    if await work.session.scalar(select(Conversation.id).limit(1)) is not None:
        return []
    for name, body in _TEMPLATES:
        await text_templates.add(work, {"name": name, "body": body})
    taken: list[tuple[str, str, int]] = []
    moments = ((line.ago, did, customer, line) for did, customer, lines in _STORIES for line in lines)
    for ago, did, customer, line in sorted(moments, key=lambda each: -each[0]):
        then = await _then(work, did, ago)
        text, conversation = await texts.add(then, _new(then, did, customer, line))
        if line.state in ("delivered", "sent") and not line.theirs:
            taken.append((text.id, customer, then.at_us))
        if line.theirs and ago > 2 * HOUR:
            await texts.mark_read(then, conversation.id)
    await opt_outs.add(work, {"number": _REFUSED, "detail": "STOP"})
    return taken


async def _then(work: UnitOfWork, did: str, ago: int) -> UnitOfWork:
    """The same transaction at the moment at which it was written, for who has the number."""
    owner = await work.session.scalar(select(Number.user_id).where(Number.e164 == did))
    return UnitOfWork(work.session, Actor("user", str(owner)), work.at_us - ago * MINUTE_US)


def _new(work: UnitOfWork, did: str, customer: str, line: Line) -> NewText:
    """None is longer than a segment."""
    return NewText(
        did=did,
        customer_number=customer,
        direction="in" if line.theirs else "out",
        author="" if line.theirs else str(work.actor),
        body=line.body,
        encoding="gsm7" if line.body.isascii() else "ucs2",
        segments=1,
        state="received" if line.theirs else line.state,
        reason=line.reason,
    )
