"""Writing what search looks into, in the transaction that writes the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.search import SearchDocument, SearchWord
from crm.repositories import bulk, raw
from crm.search.port import BodyIndex
from crm.search.postgres import PostgresBodies
from crm.search.sqlite import SqliteBodies
from crm.search.text import marked_words

_AT_ONCE = 500


class Entry(NamedTuple):
    """What of a record can be found: the text that :func:`crm.search.text.body` makes of it."""

    record_id: str
    kind: str
    body: str


def bodies(session: raw.Session) -> BodyIndex:
    return SqliteBodies() if raw.is_on_sqlite(session) else PostgresBodies()


async def put(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Make the index say what the entries say; records whose text is unchanged cost one look."""
    for start in range(0, len(entries), _AT_ONCE):
        part = entries[start : start + _AT_ONCE]
        old = {row.record_id: row for row in await _documents(session, [entry.record_id for entry in part])}
        await _add(session, [entry for entry in part if entry.record_id not in old])
        for entry in part:
            if entry.record_id in old:
                await _change(session, old[entry.record_id], entry)


async def add(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """As :func:`put`, for records that are known to be new."""
    await _add(session, entries)


async def remove(session: AsyncSession, record_ids: Sequence[str]) -> None:
    for row in await _documents(session, record_ids):
        await _forget_words(session, row.doc, marked_words(row.body))
        await session.execute(delete(SearchDocument).where(SearchDocument.doc == row.doc))


async def _documents(session: AsyncSession, record_ids: Sequence[str]) -> Sequence[Any]:
    columns = (SearchDocument.doc, SearchDocument.record_id, SearchDocument.body)
    return (await session.execute(select(*columns).where(SearchDocument.record_id.in_(record_ids)))).all()


async def _add(session: AsyncSession, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    numbers = await bodies(session).allocate(session, len(entries))
    documents = [{"doc": doc, **entry._asdict()} for doc, entry in zip(numbers, entries, strict=True)]
    await bulk.add(session, SearchDocument, documents)
    found = [
        {"word": word, "doc": doc}
        for doc, entry in zip(numbers, entries, strict=True)
        for word in marked_words(entry.body)
    ]
    await bulk.add(session, SearchWord, found)


async def _change(session: AsyncSession, row: Any, entry: Entry) -> None:
    if entry.body == row.body:
        return
    await session.execute(update(SearchDocument).where(SearchDocument.doc == row.doc).values(body=entry.body))
    before, after = set(marked_words(row.body)), set(marked_words(entry.body))
    await _forget_words(session, row.doc, sorted(before - after))
    added = [{"word": word, "doc": row.doc} for word in sorted(after - before)]
    await bulk.add(session, SearchWord, added)


async def _forget_words(session: AsyncSession, doc: int, gone: Sequence[str]) -> None:
    if gone:
        await session.execute(delete(SearchWord).where(SearchWord.doc == doc, SearchWord.word.in_(gone)))
