"""Legal holds: what must not be destroyed, whatever retention or an erasure says, until somebody takes the hold away.

Held is one call, recording or message, all about a record or a number, or all of a user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging
from crm.errors import conflict, not_found
from crm.models.calls import Call, Recording, Voicemail
from crm.models.law import LegalHold as Row
from crm.models.people import Phone, Record
from crm.models.users import User
from crm.records import as_dict
from crm.services import settings
from crm.unit_of_work import UnitOfWork

KINDS = ("record", "call", "recording", "voicemail", "user", "number")
HOLD = "hold"
_TABLES: Mapping[str, Any] = {
    "record": Record,
    "call": Call,
    "recording": Recording,
    "voicemail": Voicemail,
    "user": User,
}
_REASON: dict[str, fields.Check] = {"reason": fields.text(500)}
_CHECKS: dict[str, fields.Check] = {"kind": fields.choice(*KINDS), "object": fields.text(200), **_REASON}


@dataclass(frozen=True, slots=True)
class Hold:
    """``released_us`` is empty while it stands."""

    id: str
    kind: str
    object_id: str
    reason: str
    placed_by: str
    created_us: int
    released_us: int | None
    released_by: str | None
    released_reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that is held now. ``numbers`` has those of held records, too."""

    records: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    recordings: frozenset[str] = frozenset()
    voicemails: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    def call(self) -> ColumnElement[bool]:
        """Whether a row of calls is held; so is one whose recording or message is."""
        return or_(
            Call.id.in_([*self.calls, *map(_call_of, self.recordings), *map(_call_of, self.voicemails)]),
            _in(Call.record_id, self.records),
            _in(Call.user_id, self.users),
            _in(Call.customer_number, self.numbers),
        )

    def recording(self) -> ColumnElement[bool]:
        """Of a recording joined with its call."""
        return or_(
            Recording.id.in_(self.recordings), _in(Recording.user_id, self.users), func.coalesce(self.call(), false())
        )

    def voicemail(self) -> ColumnElement[bool]:
        return or_(
            Voicemail.id.in_(self.voicemails),
            Voicemail.user_id.in_(self.users),
            _in(Voicemail.call_id, self.calls),
            _in(Voicemail.caller_number, self.numbers),
        )


def _in(column: Any, held: frozenset[str]) -> ColumnElement[bool]:
    """False, not unknown, where the column is empty."""
    return and_(column.is_not(None), column.in_(held))


def _call_of(name: str) -> str:
    """The call that a recording or message is of, as its id says."""
    return "c_" + name.partition("_")[2].partition("_")[0]


async def standing(session: AsyncSession) -> Standing:
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, held in await session.execute(select(Row.kind, Row.object_id).where(Row.released_us.is_(None))):
        found[kind].add(held)
    phones = await session.scalars(select(Phone.e164).where(Phone.record_id.in_(found["record"])))
    return Standing(
        frozenset(found["record"]),
        frozenset(found["call"]),
        frozenset(found["recording"]),
        frozenset(found["voicemail"]),
        frozenset(found["user"]),
        frozenset(found["number"]) | frozenset(phones),
    )


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Hold:
    """``kind``, ``object`` (an id, or a number in any notation) and ``reason`` are needed."""
    given = fields.read(values, _CHECKS, ("kind", "object", "reason"))
    object_id = await _named(work.session, given["kind"], given["object"])
    same = select(Row.id).where(Row.kind == given["kind"], Row.object_id == object_id, Row.released_us.is_(None))
    if (await work.session.scalars(same)).first() is not None:
        raise conflict(
            "already_held", "This is held already. Release that hold first to give another reason.", "object"
        )
    row = Row(
        id=ids.new(HOLD, work.at_us),
        kind=given["kind"],
        object_id=object_id,
        reason=given["reason"],
        placed_by=who(work),
        created_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    work.record("hold.add", object_id, None, as_dict(_hold(row)), touches_calls=False)
    return _hold(row)


async def release(work: UnitOfWork, hold_id: str, values: Mapping[str, Any]) -> Hold:
    """From now on retention and erasure may destroy it again; the hold stays as a line of history."""
    given = fields.read(values, _REASON, ("reason",))
    row = await _find(work.session, hold_id)
    if row.released_us is not None:
        raise conflict("released", "This hold was released before.")
    row.released_us, row.released_by, row.released_reason = work.at_us, who(work), given["reason"]
    await work.flush()
    work.record("hold.release", row.object_id, None, as_dict(_hold(row)), touches_calls=False)
    return _hold(row)


async def show(session: AsyncSession, hold_id: str) -> Hold:
    return _hold(await _find(session, hold_id))


async def list_all(
    session: AsyncSession, *, standing: bool | None = None, cursor: str | None = None, limit: int = 100
) -> paging.Page[Hold]:
    """Newest first; ``standing`` True for those that hold now."""
    paging.checked_limit(limit)
    query = select(Row).order_by(Row.created_us.desc(), Row.id.desc()).limit(limit + 1)
    if standing is not None:
        query = query.where(Row.released_us.is_(None) if standing else Row.released_us.is_not(None))
    if (after := paging.decode(cursor)) is not None:
        query = query.where(tuple_(Row.created_us, Row.id) < tuple_(*after))
    found = [_hold(row) for row in await session.scalars(query)]
    return paging.page_of(found, limit, lambda hold: (hold.created_us, hold.id))


def who(work: UnitOfWork) -> str:
    return work.actor.name or str(work.actor)


async def _named(session: AsyncSession, kind: str, name: str) -> str:
    if kind == "number":
        country = str((await settings.values(session))["default_country"])
        return str(fields.one("object", name, fields.phone(country)))
    if await session.get(_TABLES[kind], name) is None:
        raise not_found(kind, name)
    return name


async def _find(session: AsyncSession, hold_id: str) -> Row:
    row = await session.get(Row, hold_id) if hold_id.isprintable() else None
    if row is None:
        raise not_found("legal hold", hold_id)
    return row


def _hold(row: Row) -> Hold:
    return Hold(
        row.id,
        row.kind,
        row.object_id,
        row.reason,
        row.placed_by,
        row.created_us,
        row.released_us,
        row.released_by,
        row.released_reason,
    )
