"""A person's data destroyed on request: what is known, what goes, and what must stay and why.

What stays: calls that a bill names stand with their number, without person, notes and timeline; deals lose their
person; refusals stay, as they must be honoured; the audit log cannot be cut without breaking its chain; what is held
for a court stays whole. The report holds counts and reasons, neither name nor number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, not_, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging
from crm.errors import conflict, not_found
from crm.models.call_lists import ListCall, ListEntry, ListLease
from crm.models.calls import Call, CallEvent, Leg, Participant, Recording, Voicemail
from crm.models.law import Erasure as Row
from crm.models.organisation import AuditEntry, DoNotCall
from crm.models.people import Activity, Deal, Note, Phone, Record
from crm.models.texts import Attachment, Conversation, OptOut, Text, TextPart
from crm.models.wrapup import CallSummary, Task
from crm.services import alert_log, holds, people, retention, webhook_outbox
from crm.services.holds import Standing
from crm.unit_of_work import UnitOfWork

ERASURE = "erase"
WHY: Mapping[str, str] = {
    "calls": "Bills and the log of calls name the number called; person, notes and timeline are taken out.",
    "deals": "The organisation’s own business; they lose their person.",
    "refusals": "Who refused calls or texts must not be called again: the number alone stays.",
    "audit": "The audit log is chained: an entry that is taken out would break it.",
    "held": "A legal hold stands. It goes when the hold is released and the erasure is asked for again.",
}
NOTES = (
    "Backups made before today still hold this person. Delete them when their time is over. One that is restored "
    "beside the list of erasures (erasures.jsonl) loses the person again when the engine starts.",
    "Files that were exported, and what was sent to other systems, are not reached from here.",
)
_CHECKS: dict[str, fields.Check] = {
    "record_id": fields.text(100),
    "reason": fields.text(500),
    "reference": fields.text(200, empty=True),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """``bytes`` of files; ``why`` says why it stays."""

    kind: str
    count: int
    bytes: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do. ``recordings`` and ``attachments`` are its files."""

    record_id: str
    name: str
    numbers: list[str]
    destroyed: list[Counted]
    kept: list[Counted]
    notes: list[str]
    recordings: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """``report`` has what was destroyed and what stayed, once it is done."""

    id: str
    record_id: str
    reference: str
    reason: str
    state: str
    requested_by: str
    created_us: int
    done_us: int | None
    report: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Person:
    """Whose traces are looked for: by record and by number, unless somebody else has the same number."""

    record_id: str
    numbers: tuple[str, ...]
    held: Standing

    def calls(self) -> ColumnElement[bool]:
        return or_(Call.record_id == self.record_id, Call.customer_number.in_(self.numbers))

    def texts(self) -> ColumnElement[bool]:
        mine = or_(Text.record_id == self.record_id, Text.customer_number.in_(self.numbers))
        return and_(mine, Text.customer_number.not_in(self.held.numbers))

    def free_calls(self) -> Select[Any]:
        return select(Call.id).where(self.calls(), not_(self.held.call()))

    def voicemails(self) -> ColumnElement[bool]:
        return or_(
            Voicemail.caller_number.in_(self.numbers), Voicemail.call_id.in_(select(Call.id).where(self.calls()))
        )

    def recordings(self) -> ColumnElement[bool]:
        free = select(Recording.id).outerjoin(Call, Call.id == Recording.call_id).where(not_(self.held.recording()))
        return Recording.call_id.in_(select(Call.id).where(self.calls())) & Recording.id.in_(free)


async def plan(session: AsyncSession, record_id: str) -> Plan:
    """The dry run. Raises Refused where there is no such lead or contact."""
    record = await people.show(session, record_id)
    if record.kind == "company":
        raise conflict("no_person", "This is a company. Erase its contacts one by one.")
    person = await _person(session, record_id)
    recordings = await retention.recording_files(session, person.recordings())
    voicemails = person.voicemails() & not_(person.held.voicemail())
    recordings += [path for path in await session.scalars(select(Voicemail.path).where(voicemails)) if path]
    of_texts = select(Text.id).where(person.texts())
    attachments = await session.scalars(select(Attachment.path).where(Attachment.text_id.in_(of_texts)))
    return Plan(
        record_id,
        record.name,
        list(person.numbers),
        await _destroyed(session, person),
        await _kept(session, person),
        list(NOTES),
        tuple(recordings),
        tuple(attachments),
    )


async def begin(work: UnitOfWork, values: Mapping[str, Any], erasure_id: str | None = None) -> Erasure:
    """Written down before anything is destroyed, so that one that was broken off is finished. Refused while the person
    is held for a court."""
    given = {"reference": "", **fields.read(values, _CHECKS, ("record_id", "reason"))}
    await plan(work.session, given["record_id"])
    if given["record_id"] in (await holds.standing(work.session)).records:
        raise conflict("held", "A legal hold stands on this person. Release it first.", "record_id")
    row = Row(
        id=erasure_id or ids.new(ERASURE, work.at_us),
        state="running",
        requested_by=holds.who(work),
        created_us=work.at_us,
        done_us=None,
        report=None,
        **given,
    )
    work.session.add(row)
    await work.flush()
    work.record("person.erase", row.record_id, None, {"erasure": row.id, "reason": row.reason}, touches_calls=False)
    return _erasure(row)


async def not_known(session: AsyncSession, erasures: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of these, each an erasure and the record that it was about, those that the database knows nothing of, and whose
    record it has: it comes from a backup made before."""
    found: list[tuple[str, str]] = []
    for start in range(0, len(erasures), retention.BATCH):
        part = dict(erasures[start : start + retention.BATCH])
        known = set(await session.scalars(select(Row.id).where(Row.id.in_(part))))
        there = set(await session.scalars(select(Record.id).where(Record.id.in_(part.values()))))
        found += [(name, record) for name, record in part.items() if name not in known and record in there]
    return found


async def repeat(work: UnitOfWork, erasure_id: str, record_id: str) -> Erasure:
    """The same as :func:`begin`, for one that a database from before knows nothing of: under the name that it had."""
    reason = "Repeated: this database comes from a backup made before the erasure."
    return await begin(work, {"record_id": record_id, "reason": reason}, erasure_id)


async def finish(work: UnitOfWork, erasure_id: str, found: Plan) -> Erasure:
    """The rows, once the files of the plan are gone; leaves the report."""
    row = await _find(work.session, erasure_id)
    person = await _person(work.session, row.record_id)
    await _destroy(work, person)
    row.state, row.done_us = "done", work.at_us
    row.report = {
        "destroyed": [asdict(each) for each in found.destroyed],
        "kept": [asdict(each) for each in found.kept],
        "notes": found.notes,
    }
    await work.flush()
    return _erasure(row)


async def unfinished(session: AsyncSession) -> list[Erasure]:
    return [_erasure(row) for row in await session.scalars(select(Row).where(Row.state == "running"))]


async def show(session: AsyncSession, erasure_id: str) -> Erasure:
    return _erasure(await _find(session, erasure_id))


async def list_all(session: AsyncSession, *, cursor: str | None = None, limit: int = 100) -> paging.Page[Erasure]:
    """Newest first."""
    paging.checked_limit(limit)
    query = select(Row).order_by(Row.created_us.desc(), Row.id.desc()).limit(limit + 1)
    if (after := paging.decode(cursor)) is not None:
        query = query.where(tuple_(Row.created_us, Row.id) < tuple_(*after))
    found = [_erasure(row) for row in await session.scalars(query)]
    return paging.page_of(found, limit, lambda each: (each.created_us, each.id))


async def _person(session: AsyncSession, record_id: str) -> _Person:
    """A number that another record has as well says nothing of whose call it was: only those that are linked go."""
    mine = select(Phone.e164).where(Phone.record_id == record_id)
    shared = select(Phone.e164).where(Phone.e164.in_(mine), Phone.record_id != record_id)
    numbers = await session.scalars(mine.where(Phone.e164.not_in(shared)).distinct())
    return _Person(record_id, tuple(numbers), await holds.standing(session))


async def _destroyed(session: AsyncSession, person: _Person) -> list[Counted]:
    record, free = person.record_id, person.free_calls()
    with_sound = person.recordings() & Recording.path.is_not(None)
    size = (await session.scalars(select(func.coalesce(func.sum(Recording.bytes), 0)).where(with_sound))).one()
    messages = person.voicemails() & not_(person.held.voicemail())
    found = [
        Counted("record", 1),
        Counted("search", 1),
        Counted("notes", await _count(session, Note, Note.record_id == record)),
        Counted("activities", await _count(session, Activity, Activity.record_id == record)),
        Counted("tasks", await _count(session, Task, Task.record_id == record)),
        Counted("list_entries", await _count(session, ListEntry, ListEntry.record_id == record)),
        Counted("texts", await _count(session, Text, person.texts())),
        Counted("recordings", await _count(session, Recording, with_sound), int(size or 0)),
        Counted("voicemails", await _count(session, Voicemail, messages)),
        Counted("timelines", await _count(session, CallEvent, CallEvent.call_id.in_(free))),
        Counted("summaries", await _count(session, CallSummary, CallSummary.call_id.in_(free))),
    ]
    return [each for each in found if each.count]


async def _kept(session: AsyncSession, person: _Person) -> list[Counted]:
    numbers = person.numbers
    refusals = await _count(session, DoNotCall, DoNotCall.e164.in_(numbers))
    refusals += await _count(session, OptOut, OptOut.e164.in_(numbers))
    held = await _count(session, Call, person.calls() & person.held.call())
    found = [
        Counted("calls", await _count(session, Call, person.calls()), why=WHY["calls"]),
        Counted("deals", await _count(session, Deal, Deal.record_id == person.record_id), why=WHY["deals"]),
        Counted("refusals", refusals, why=WHY["refusals"]),
        Counted("audit", await _count(session, AuditEntry, AuditEntry.object_id == person.record_id), why=WHY["audit"]),
        Counted("held", held, why=WHY["held"]),
    ]
    return [each for each in found if each.count]


async def _destroy(work: UnitOfWork, person: _Person) -> None:
    session, record = work.session, person.record_id
    free = list(await session.scalars(person.free_calls()))
    await retention.erase_recordings(session, person.recordings())
    await retention.erase_voicemails(session, person.voicemails() & not_(person.held.voicemail()), work.at_us)
    await _destroy_texts(session, person)
    for start in range(0, len(free), retention.BATCH):
        await _strip_calls(session, free[start : start + retention.BATCH])
    await session.execute(delete(Task).where(Task.record_id == record))
    entries = select(ListEntry.id).where(ListEntry.record_id == record)
    await session.execute(delete(ListLease).where(ListLease.entry_id.in_(entries)))
    await session.execute(delete(ListEntry).where(ListEntry.record_id == record))
    await session.execute(update(ListCall).where(ListCall.number.in_(person.numbers)).values(number=""))
    await webhook_outbox.forget_person(session, (record, *person.numbers))
    await alert_log.forget_person(session, person.numbers)
    await people.remove(work, record, erased=True)


async def _destroy_texts(session: AsyncSession, person: _Person) -> None:
    mine = select(Text.id).where(person.texts())
    for table in (Attachment, TextPart):
        await session.execute(delete(table).where(table.text_id.in_(mine)))
    await session.execute(delete(Text).where(person.texts()))
    whole = or_(Conversation.record_id == person.record_id, Conversation.customer_number.in_(person.numbers))
    free = Conversation.customer_number.not_in(person.held.numbers)
    await session.execute(delete(Conversation).where(whole, free))


async def _strip_calls(session: AsyncSession, calls: list[str]) -> None:
    """The bare call stays: when, how long, and the number that was called; who called us loses the number as well."""
    inbound = select(Call.id).where(Call.id.in_(calls), Call.direction == "inbound")
    await session.execute(delete(CallEvent).where(CallEvent.call_id.in_(calls)))
    await session.execute(
        update(CallSummary).where(CallSummary.call_id.in_(calls)).values(notes="", record_type=None, record_id=None)
    )
    await session.execute(
        update(Participant).where(Participant.call_id.in_(calls), Participant.user_id.is_(None)).values(name=None)
    )
    outside = (Leg.call_id.in_(inbound), Leg.role == "customer")
    await session.execute(update(Leg).where(*outside).values(number=None))
    theirs = (Participant.call_id.in_(inbound), Participant.user_id.is_(None))
    await session.execute(update(Participant).where(*theirs).values(phone_number=None))
    bare: dict[str, Any] = {"record_type": None, "record_id": None, "matches": None, "notes": None, "caller_raw": None}
    await session.execute(
        update(Call).where(Call.id.in_(calls), Call.direction == "inbound").values(customer_number=None)
    )
    await session.execute(update(Call).where(Call.id.in_(calls)).values(bare))


async def _count(session: AsyncSession, table: Any, which: ColumnElement[bool] = true()) -> int:
    return (await session.scalars(select(func.count()).select_from(table).where(which))).one()


async def _find(session: AsyncSession, erasure_id: str) -> Row:
    row = await session.get(Row, erasure_id) if erasure_id.isprintable() else None
    if row is None:
        raise not_found("erasure", erasure_id)
    return row


def _erasure(row: Row) -> Erasure:
    return Erasure(
        row.id,
        row.record_id,
        row.reference,
        row.reason,
        row.state,
        row.requested_by,
        row.created_us,
        row.done_us,
        row.report,
    )
