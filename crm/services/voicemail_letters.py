"""Voicemail by e-mail: which messages are to be sent to their users, and what came of it (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.calls import Call, Voicemail
from crm.models.people import Record
from crm.models.users import User
from crm.models.voicemail_letters import VoicemailLetter as Row
from crm.unit_of_work import UnitOfWork

MOST_TRIES = 8
AT_ONCE = 20
YOUNGER_THAN_US = 24 * 3_600_000_000
"""Where a mail server is set later, nobody gets letters about last month."""
SENT_WITHIN_US = 120_000_000
_WAIT_US = 15 * 60_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """``path`` is below the directory of recordings; ``caller`` the person's name, empty where nobody is known."""

    voicemail_id: str
    email: str
    language: str
    time_zone: str
    country: str
    number: str
    caller: str
    created_us: int
    duration_ms: int
    path: str
    codec: str


async def due(session: AsyncSession, now_us: int) -> list[Due]:
    """Those that nobody has heard or removed yet, oldest first."""
    query = (
        select(Voicemail, User, Record.name)
        .join(User, User.id == Voicemail.user_id)
        .join(Call, Call.id == Voicemail.call_id, isouter=True)
        .join(Record, Record.id == Call.record_id, isouter=True)
        .join(Row, Row.voicemail_id == Voicemail.id, isouter=True)
        .where(
            Voicemail.created_us > now_us - YOUNGER_THAN_US,
            Voicemail.state == "ready",
            Voicemail.heard_us.is_(None),
            Voicemail.removed_us.is_(None),
            User.active,
            or_(Row.voicemail_id.is_(None), (Row.state == "waiting") & (Row.next_us <= now_us)),
        )
        .order_by(Voicemail.created_us)
        .limit(AT_ONCE)
    )
    return [_due(*found) for found in await session.execute(query)]


async def claim(work: UnitOfWork, voicemail_id: str) -> bool:
    """Before it is sent; False where another engine was first."""
    row = await work.session.get(Row, voicemail_id, with_for_update=True)
    if row is None:
        row = Row(voicemail_id=voicemail_id, state="waiting", tries=0, next_us=0)
        work.session.add(row)
    elif row.state != "waiting" or row.next_us > work.at_us:
        return False
    row.tries, row.next_us = row.tries + 1, work.at_us + SENT_WITHIN_US
    await work.flush()
    return True


async def note(work: UnitOfWork, voicemail_id: str, error: str | None) -> None:
    """What came of it. One that was not taken is tried again some times."""
    row = await work.session.get(Row, voicemail_id)
    if row is None:  # destroyed meanwhile
        return
    if error is None:
        row.state, row.sent_us, row.error = "sent", work.at_us, None
    else:
        row.state = "failed" if row.tries >= MOST_TRIES else "waiting"
        row.next_us, row.error = work.at_us + _WAIT_US, error
    await work.flush()


def _due(message: Any, user: Any, caller: str | None) -> Due:
    return Due(
        message.id,
        user.email,
        user.language,
        user.time_zone,
        user.country,
        message.caller_number or "",
        caller or "",
        message.created_us,
        message.duration_ms or 0,
        message.path or "",
        message.codec or "",
    )
