"""How long things are kept, per kind, and what is destroyed when their time is over: in small batches, oldest first.

What is held for a court stays (:mod:`crm.services.holds`). A batch is found first, its files are destroyed by who has
them, and then its rows: whoever dies in between finds the same batch again. Bills and the audit log are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids, paging
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail
from crm.models.law import Destruction as Row
from crm.models.texts import Attachment, Text, TextPart
from crm.models.wrapup import CallSummary, Task
from crm.services.holds import Standing
from crm.unit_of_work import UnitOfWork

KINDS = ("recordings", "voicemails", "texts", "timelines", "calls")
"""In the order in which they are looked at: calls last, as they take the rest along."""
BATCH = 100
DAY_US = 86_400_000_000
ERASED = "erased"
_OF_A_CALL = (Leg, Participant, CallEvent, CallSummary)


@dataclass(frozen=True, slots=True)
class Destruction:
    """What one run destroyed of one kind. ``held`` were old enough and are under a legal hold."""

    id: str
    at_us: int
    kind: str
    before_us: int
    destroyed: int
    files: int
    bytes: int
    held: int


@dataclass(frozen=True, slots=True)
class Batch:
    """``recordings`` and ``attachments`` are files, relative to their folders; ``bytes`` as the store knows them."""

    kind: str
    ids: list[str]
    recordings: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    bytes: int = 0


def cutoffs(settings: Mapping[str, Any], now_us: int) -> dict[str, int]:
    """Of each kind that is not kept for ever: what is older than this goes."""
    days = {kind: settings[f"retention.{kind}_days"] for kind in KINDS}
    return {kind: now_us - kept * DAY_US for kind, kept in days.items() if kept}


async def due(session: AsyncSession, kind: str, before_us: int, held: Standing, limit: int = BATCH) -> Batch:
    """The oldest that are to be destroyed; an empty batch: nothing is."""
    found = (await session.execute(_old(kind, before_us).where(not_(_held(kind, held))).limit(limit))).all()
    batch = Batch(kind, [row[0] for row in found], bytes=sum(row[1] or 0 for row in found))
    if kind == "texts":
        paths = await session.scalars(select(Attachment.path).where(Attachment.text_id.in_(batch.ids)))
        batch.attachments.extend(paths)
    elif kind == "voicemails":
        batch.recordings.extend(row[2] for row in found if row[2])
    elif kind in ("recordings", "calls"):
        batch.recordings.extend(await _files(session, kind, batch.ids))
    return batch


async def held_back(session: AsyncSession, kind: str, before_us: int, held: Standing) -> int:
    """How many are old enough and stay for a court."""
    query = _old(kind, before_us).where(_held(kind, held)).order_by(None).subquery()
    return (await session.scalars(select(func.count()).select_from(query))).one()


async def destroy(work: UnitOfWork, batch: Batch) -> None:
    """The rows, once the files are gone."""
    if batch.kind == "recordings":
        await erase_recordings(work.session, Recording.id.in_(batch.ids))
    elif batch.kind == "voicemails":
        await erase_voicemails(work.session, Voicemail.id.in_(batch.ids), work.at_us)
    elif batch.kind == "timelines":
        await work.session.execute(delete(CallEvent).where(CallEvent.call_id.in_(batch.ids)))
    elif batch.kind == "texts":
        for table in (Attachment, TextPart):
            await work.session.execute(delete(table).where(table.text_id.in_(batch.ids)))
        await work.session.execute(delete(Text).where(Text.id.in_(batch.ids)))
    else:
        await _destroy_calls(work.session, batch.ids)


async def erase_recordings(session: AsyncSession, which: ColumnElement[bool]) -> None:
    """The row stays and says that there was one: the journal, replayed after an outage, must not bring it back."""
    gone = {name: None for name in ("path", "peaks_path", "tracks_path", "public_path", "sha256", "bytes")}
    await session.execute(update(Recording).where(which).values(state=ERASED, tracks=None, private=None, **gone))
    calls = select(Recording.call_id).where(which)
    await session.execute(update(Call).where(Call.id.in_(calls)).values(recording_state=ERASED))


async def erase_voicemails(session: AsyncSession, which: ColumnElement[bool], at_us: int) -> None:
    gone = {name: None for name in ("path", "sha256", "bytes", "caller_number")}
    removed = func.coalesce(Voicemail.removed_us, at_us)
    await session.execute(update(Voicemail).where(which).values(removed_us=removed, **gone))


async def record(work: UnitOfWork, done: Destruction) -> None:
    """Into the report and the audit log."""
    work.session.add(Row(**{name: getattr(done, name) for name in Destruction.__dataclass_fields__}))
    after = {"destroyed": done.destroyed, "files": done.files, "bytes": done.bytes, "held": done.held}
    work.record("retention.destroy", done.kind, None, after, touches_calls=False)
    await work.flush()


def new_id(at_us: int) -> str:
    return ids.new("dest", at_us)


async def list_all(session: AsyncSession, *, cursor: str | None = None, limit: int = 100) -> paging.Page[Destruction]:
    """What was destroyed, newest first."""
    paging.checked_limit(limit)
    query = select(Row).order_by(Row.at_us.desc(), Row.id.desc()).limit(limit + 1)
    if (after := paging.decode(cursor)) is not None:
        query = query.where(tuple_(Row.at_us, Row.id) < tuple_(*after))
    names = Destruction.__dataclass_fields__
    found = [Destruction(**{name: getattr(row, name) for name in names}) for row in await session.scalars(query)]
    return paging.page_of(found, limit, lambda each: (each.at_us, each.id))


async def _files(session: AsyncSession, kind: str, names: list[str]) -> list[str]:
    which = Recording.id.in_(names) if kind == "recordings" else Recording.call_id.in_(names)
    found = await recording_files(session, which)
    if kind == "calls":
        found += [
            path for path in await session.scalars(select(Voicemail.path).where(Voicemail.call_id.in_(names))) if path
        ]
    return found


async def recording_files(session: AsyncSession, which: ColumnElement[bool]) -> list[str]:
    """All forms of each recording, and its waveform."""
    columns = (Recording.path, Recording.peaks_path, Recording.tracks_path, Recording.public_path)
    return [path for row in await session.execute(select(*columns).where(which)) for path in row if path]


async def _destroy_calls(session: AsyncSession, names: list[str]) -> None:
    for table in (*_OF_A_CALL, Recording, Voicemail):
        await session.execute(delete(table).where(table.call_id.in_(names)))
    await session.execute(update(Task).where(Task.call_id.in_(names)).values(call_id=None))
    await session.execute(delete(Call).where(Call.id.in_(names)))


def _old(kind: str, before_us: int) -> Any:
    """Ids, bytes and a file of what is old enough and not gone yet, oldest first. What still goes on is left alone."""
    over = Call.ended_us.is_not(None)
    if kind == "recordings":
        query = select(Recording.id, Recording.bytes).outerjoin(Call, Call.id == Recording.call_id)
        gone = Recording.state.in_(("recording", "paused", "processing", ERASED))
        return query.where(Recording.started_us < before_us, not_(gone)).order_by(Recording.id)
    if kind == "voicemails":
        messages = select(Voicemail.id, Voicemail.bytes, Voicemail.path)
        there = Voicemail.path.is_not(None) | Voicemail.caller_number.is_not(None)  # else it is a mere tombstone
        done = Voicemail.state != "recording"
        return messages.where(Voicemail.created_us < before_us, there, done).order_by(Voicemail.id)
    if kind == "texts":
        waiting = Text.state.in_(("queued", "scheduled", "held", "sending"))
        texts = select(Text.id, func.length(Text.body))
        return texts.where(Text.created_us < before_us, not_(waiting)).order_by(Text.id)
    calls = select(Call.id, literal(0)).where(Call.created_us < before_us, over)
    if kind == "timelines":
        some = select(CallEvent.call_id).where(CallEvent.call_id == Call.id).exists()
        calls = calls.where(some)
    return calls.order_by(Call.created_us, Call.id)


def _held(kind: str, held: Standing) -> ColumnElement[bool]:
    if kind == "recordings":
        return held.recording()
    if kind == "voicemails":
        return held.voicemail()
    if kind == "texts":
        return (
            Text.customer_number.in_(held.numbers)
            | func.coalesce(Text.record_id, "").in_(held.records)
            | (func.coalesce(Text.user_id, "").in_(held.users))
        )
    return held.call()
