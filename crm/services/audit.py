"""Reading the audit log and checking its chain. It is written by :meth:`crm.unit_of_work.UnitOfWork.record`."""

from __future__ import annotations

import json

from sqlalchemy.ext.asyncio import AsyncSession

from crm import paging
from crm.models.organisation import AuditEntry as Row
from crm.records import AuditEntry
from crm.repositories import audit


async def list_all(
    session: AsyncSession, *, cursor: str | None = None, limit: int = 100, object_id: str | None = None
) -> paging.Page[AuditEntry]:
    """Newest first; ``object_id`` for what happened to one thing."""
    paging.checked_limit(limit)
    after = paging.decode(cursor)
    rows = await audit.page(session, before_seq=after[0] if after else None, limit=limit + 1, object_id=object_id)
    return paging.page_of([_entry(row) for row in rows], limit, lambda entry: (entry.seq, ""))


async def verify(session: AsyncSession) -> int | None:
    """The first entry that was altered, or that follows one taken out; None when the chain holds."""
    return await audit.first_broken(session)


def _entry(row: Row) -> AuditEntry:
    before = json.loads(row.before) if row.before else None
    after = json.loads(row.after) if row.after else None
    return AuditEntry(row.seq, row.at_us, row.actor, row.action, row.object_id, before, after, row.hash)
