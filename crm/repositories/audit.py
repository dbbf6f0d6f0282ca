"""The audit log: appending to its chain, reading it, and checking that nobody has touched it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.organisation import AuditEntry

FIRST = "0" * 64
_LOCK = 0x5177C4A0D17  # of PostgreSQL's advisory locks: who holds it appends
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Change:
    action: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def append(session: AsyncSession, actor: str, at_us: int, changes: list[Change]) -> None:
    """Chain the changes to what stands. Writers queue here: on SQLite by their BEGIN IMMEDIATE."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    seq, last = await _head(session)
    rows = []
    for change in changes:
        seq += 1
        row = {
            "seq": seq,
            "at_us": at_us,
            "actor": actor,
            "action": change.action,
            "object_id": change.object_id,
            "before": _text(change.before),
            "after": _text(change.after),
        }
        last = row_hash(last, row)
        rows.append(row | {"hash": last})
    await session.execute(insert(AuditEntry), rows)


def row_hash(previous: str, row: dict[str, Any]) -> str:
    """SHA-256 over the hash before and this row's columns as JSON with sorted keys."""
    body = json.dumps(row, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


async def page(
    session: AsyncSession, *, before_seq: int | None, limit: int, object_id: str | None = None
) -> list[AuditEntry]:
    """Newest first."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(AuditEntry.seq < before_seq)
    if object_id is not None:
        query = query.where(AuditEntry.object_id == object_id)
    return list(await session.scalars(query))


async def first_broken(session: AsyncSession) -> int | None:
    """The number of the first entry that was altered, or that follows one taken out; None when all is well."""
    seq, last = 0, FIRST
    while True:
        query = select(AuditEntry).where(AuditEntry.seq > seq).order_by(AuditEntry.seq).limit(_BATCH)
        entries = list(await session.scalars(query))
        for entry in entries:
            last = row_hash(last, _columns(entry))
            if entry.seq != seq + 1 or entry.hash != last:
                return entry.seq
            seq = entry.seq
        if len(entries) < _BATCH:
            return None


def _columns(entry: AuditEntry) -> dict[str, Any]:
    names = ("seq", "at_us", "actor", "action", "object_id", "before", "after")
    return {name: getattr(entry, name) for name in names}


async def _head(session: AsyncSession) -> tuple[int, str]:
    query = select(AuditEntry.seq, AuditEntry.hash).order_by(AuditEntry.seq.desc()).limit(1)
    row = (await session.execute(query)).first()
    return (row.seq, row.hash) if row else (0, FIRST)


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=True)
