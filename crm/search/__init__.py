"""Search as one types (V2, V3): any word of name, company or address, and numbers in any notation.

What is found first is shown first: the very number, then records whose name has words that begin with the terms
(whole words before longer ones), then numbers that begin so, then the rest. Each step runs only while there is
room, and each stops at the limit, so that one letter over a million people costs no more than a rare name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crm import people
from crm.phone_numbers import try_parse
from crm.repositories import people as repository
from crm.repositories import raw
from crm.search.index import bodies
from crm.search.query import Condition, Query, read
from crm.search.text import name_words

LIMIT = 20
_HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Hit:
    """``matched`` is number, name or other; ``number`` the one of the record's numbers that the text begins."""

    record: people.Record
    matched: str
    number: str | None


async def search(
    session: AsyncSession, text: str, *, country: str = "US", limit: int = LIMIT, kinds: Sequence[str] | None = None
) -> list[Hit]:
    """Up to ``limit`` records for what was typed so far. Never refuses a text: what says nothing finds nothing."""
    query = read(text)
    found = _Found(limit)
    if query.terms:
        await _gather(session, query, country, kinds or (), found)
    records = await repository.load(session, list(found.how))
    hits = [Hit(record, *found.how[record.id]) for record in records]
    return _ranked(hits, query)[:limit]


class _Found:
    """Records in the order in which they were found, with how; each keeps how it was found first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.how: dict[str, tuple[str, str | None]] = {}

    @property
    def room(self) -> bool:
        return len(self.how) < self.limit

    def add(self, record_ids: Sequence[str], matched: str) -> None:
        for record_id in record_ids:
            self.how.setdefault(record_id, (matched, None))

    def add_number(self, record_id: str, e164: str) -> None:
        self.how.setdefault(record_id, ("number", e164))


async def _gather(session: AsyncSession, query: Query, country: str, kinds: Sequence[str], found: _Found) -> None:
    limit = found.limit
    begun: list[tuple[str, str, str]] = []
    if query.digits:
        begun = await _numbers(session, query, kinds, limit)
        _add_exact(begun, query, country, found)
    if found.room:
        found.add(await _by_names(session, query, kinds, limit), "name")
    for record_id, e164, _ in begun:
        if found.room:
            found.add_number(record_id, e164)
    index = bodies(session)
    steps: list[tuple[Condition, ...]] = [query.starts, *([query.inside] if query.inside != query.starts else [])]
    for conditions in steps:
        if found.room:
            found.add(await index.matching(session, conditions, kinds, limit), "other")


async def _numbers(session: AsyncSession, query: Query, kinds: Sequence[str], limit: int) -> list[tuple[str, str, str]]:
    international = query.international or query.digits
    national = "" if query.text.startswith("+") else query.digits
    return await repository.by_digits(session, international, national, kinds, limit)


def _add_exact(begun: Sequence[tuple[str, str, str]], query: Query, country: str, found: _Found) -> None:
    meant = try_parse(query.text, country)
    for record_id, e164, national in begun:
        whole = national == query.digits or e164[1:] in (query.digits, query.international)
        if whole or (meant is not None and e164 == meant.e164):
            found.add_number(record_id, e164)


async def _by_names(session: AsyncSession, query: Query, kinds: Sequence[str], limit: int) -> list[str]:
    if len(query.terms) > 1:
        # more than asked for: of those found the best are kept, and whole words are better
        return await bodies(session).matching(session, query.names, kinds, limit * 3)
    word = query.terms[0]
    statement = (
        "SELECT d.record_id FROM search_words AS w JOIN search_documents AS d ON d.doc = w.doc "
        f"WHERE w.word >= ? AND w.word < ?{' AND d.kind {in}' if kinds else ''} "
        f"ORDER BY w.word, w.doc LIMIT {int(limit) * 2}"  # a record may be there with two words
    )
    rows = await raw.rows(session, statement, [word, word + _HIGHEST, *([list(kinds)] if kinds else [])])
    return list(dict.fromkeys(row[0] for row in rows))[:limit]


def _ranked(hits: list[Hit], query: Query) -> list[Hit]:
    """Names with more of the terms as whole words go before others; else the order in which they were found."""
    terms = set(query.terms)

    def missing(hit: Hit) -> int:
        return -len(terms.intersection(name_words((hit.record.name, hit.record.reading))))

    places = [at for at, hit in enumerate(hits) if hit.matched == "name"]
    ordered = sorted((hits[at] for at in places), key=missing)
    for at, hit in zip(places, ordered, strict=True):
        hits[at] = hit
    return hits
