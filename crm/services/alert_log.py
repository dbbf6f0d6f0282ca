"""When each alert began and when it was over, kept for two weeks: webhooks are told of both (A5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, languages
from crm.errors import not_found
from crm.models.alerts import AlertLine
from crm.unit_of_work import UnitOfWork

KEPT_US = 14 * 24 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """An alert was raised, or is over (``stands`` false) since ``at_us``."""

    stands: bool
    kind: str
    subject: str
    sentence: str
    at_us: int
    data: Mapping[str, Any]


async def note(work: UnitOfWork, engine: str, changes: Sequence[Change]) -> None:
    """In the order in which they came."""
    for each in changes:
        if each.stands:
            work.session.add(_line(engine, each))
            await work.flush()
        else:
            standing = (*_open(engine), AlertLine.kind == each.kind, AlertLine.subject == each.subject)
            await work.session.execute(update(AlertLine).where(*standing).values(over_us=each.at_us))


def _line(engine: str, change: Change) -> AlertLine:
    return AlertLine(
        id=ids.new(ids.ALERT, change.at_us),
        kind=change.kind,
        subject=change.subject,
        sentence=change.sentence,
        data=dict(change.data),
        engine=engine,
        raised_us=change.at_us,
        over_us=None,
    )


async def begin(work: UnitOfWork, engine: str) -> None:
    """Alerts end with the engine that knew of them: what still is so is raised again."""
    await work.session.execute(update(AlertLine).where(*_open(engine)).values(over_us=work.at_us))


async def forget(work: UnitOfWork) -> None:
    """Alerts that are over for two weeks."""
    await work.session.execute(delete(AlertLine).where(AlertLine.over_us < work.at_us - KEPT_US))


def _open(engine: str) -> tuple[Any, ...]:
    return AlertLine.engine == engine, AlertLine.over_us.is_(None)


async def show(session: AsyncSession, line_id: str) -> dict[str, Any]:
    """As the API shows alerts, and since when it is over."""
    row = await session.get(AlertLine, line_id)
    if row is None:
        raise not_found("alert", line_id)
    return {
        "id": f"{row.kind}:{row.subject}",
        "kind": row.kind,
        "subject": row.subject,
        "sentence": row.sentence,
        "sentences": languages.others(row.sentence),
        "since_us": row.raised_us,
        "over_us": row.over_us,
        "data": row.data,
    }


async def forget_person(session: AsyncSession, numbers: Sequence[str]) -> None:
    """Alerts that name one of these numbers."""
    rows = (await session.execute(select(AlertLine.id, AlertLine.subject, AlertLine.sentence, AlertLine.data))).all()
    named = [row.id for row in rows if any(number in f"{row.subject}{row.sentence}{row.data}" for number in numbers)]
    await session.execute(delete(AlertLine).where(AlertLine.id.in_(named)))
