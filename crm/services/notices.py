"""Notices about law and consent: who accepted them, and what waits until somebody has (N5, S8).

What the system itself sets up needs none; whoever asks for it does, in the console, with a token or on the command
line.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from crm.errors import conflict, not_found
from crm.models.organisation import AcceptedNotice as Row
from crm.notices import FALLBACK, NOTICES, RECORDING, VOICE
from crm.notices import Notice as Declared
from crm.records import Acceptance, Notice, User, as_dict
from crm.unit_of_work import SYSTEM, UnitOfWork

COMMAND_LINE = "command line"
_WAITS_FOR = {
    VOICE.key: "Before the first trunk is added, somebody must accept that the operator is responsible for the law",
    RECORDING.key: "Before calls are recorded, somebody must accept that the operator is responsible for consent",
}


async def list_all(session: AsyncSession, language: str = FALLBACK) -> list[Notice]:
    return [await _notice(session, declared, language) for declared in NOTICES.values()]


async def accept(work: UnitOfWork, key: str, language: str = FALLBACK, by: User | None = None) -> Notice:
    """For the actor of the transaction, or ``by`` a user whom the system speaks for. The first to accept stays."""
    declared = NOTICES.get(key)
    if declared is None:
        raise not_found("notice", key)
    if await _row(work.session, declared) is None:
        row = _accepted(work, declared, by)
        work.session.add(row)
        await work.flush()
        after = as_dict(_acceptance(row)) | {"version": row.version}
        work.record("notice.accept", key, None, after, touches_calls=False)
    return await _notice(work.session, declared, language)


async def check_accepted(work: UnitOfWork, key: str) -> None:
    """Raises Refused where a person asks for what nobody has accepted the notice for."""
    if work.actor.kind == SYSTEM.kind or await _row(work.session, NOTICES[key]) is not None:
        return
    raise conflict(
        "notice_not_accepted",
        f"{_WAITS_FOR[key]}. Read the notice “{key}” and accept it: in the console, or with --accept-notice.",
    )


async def accepted(session: AsyncSession, key: str) -> bool:
    return await _row(session, NOTICES[key]) is not None


def _accepted(work: UnitOfWork, declared: Declared, by: User | None) -> Row:
    actor = work.actor
    if by is not None:
        user_id, name = by.id, by.name
    elif actor.kind == "user":
        user_id, name = actor.id, actor.name
    else:
        user_id, name = "", COMMAND_LINE
    return Row(key=declared.key, version=declared.version, user_id=user_id or None, user_name=name, at_us=work.at_us)


async def _notice(session: AsyncSession, declared: Declared, language: str) -> Notice:
    row, words = await _row(session, declared), declared.text(language)
    acceptance = _acceptance(row) if row is not None else None
    return Notice(declared.key, declared.version, words.title, words.text, acceptance)


def _acceptance(row: Row) -> Acceptance:
    return Acceptance(row.user_id, row.user_name, row.at_us)


async def _row(session: AsyncSession, declared: Declared) -> Row | None:
    return await session.get(Row, (declared.key, declared.version))
