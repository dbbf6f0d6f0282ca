"""Search as one types (V2, V3): any word of name, company or address, and numbers in any notation.

What is found first is shown first: the very number, then records whose name has words that begin with the terms
(whole words before longer ones), then numbers that begin so, then the rest. Each step runs only while there is
room, and each stops at the limit, so that one letter over a million people costs no more than a rare name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crm import people
from crm.phone_numbers import try_parse
from crm.repositories import people as repository
from crm.repositories import raw
from crm.search.index import bodies
from crm.search.query import WHOLE_NUMBER, Query, read
from crm.search.text import name_words

LIMIT = 20
SHORT = 3
"""Who typed so few letters goes on typing: what comes now need not be the best of all that has them inside."""
_HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Hit:
    """``matched`` is number, name or other; ``number`` the one of the record's numbers that the text begins."""

    record: people.Record
    matched: str
    number: str | None


async def search(
    session: raw.Session, text: str, *, country: str = "US", limit: int = LIMIT, kinds: Sequence[str] | None = None
) -> list[Hit]:
    """Up to ``limit`` records for what was typed so far. Never refuses a text: what says nothing finds nothing."""
    query = read(text)
    found = _Found(limit)
    if query.terms:
        await _gather(session, query, country, kinds or (), found)
    records = await repository.load(session, list(found.how), shown=False)
    hits = [_hit(record, *found.how[record.id], query) for record in records]
    best = _ranked(hits, query)[:limit]
    return [replace(hit, record=repository.as_shown(hit.record)) for hit in best]


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


async def _gather(session: raw.Session, query: Query, country: str, kinds: Sequence[str], found: _Found) -> None:
    limit = found.limit
    begun: list[tuple[str, str, str]] = []
    if query.digits:
        begun = await _numbers(session, query, kinds, limit)
        _add_exact(begun, query, country, found)
    if len(query.terms) > 1 and not query.digits:
        await _several(session, query, kinds, found)
        return
    if found.room:
        found.add(await _by_names(session, query, kinds, limit), "name")
    for record_id, e164, _ in begun:
        if found.room:
            found.add_number(record_id, e164)
    if found.room and not (begun and len(query.digits) >= WHOLE_NUMBER):
        found.add(await _elsewhere(session, query, kinds, limit), "other")


async def _several(session: raw.Session, query: Query, kinds: Sequence[str], found: _Found) -> None:
    """Whoever has all the terms, anywhere; where these are few, those with the terms in their name are among them.
    Only where they are many are names asked for by themselves: what is rare among names costs most to look for."""
    inside = await bodies(session).matching(session, query.inside, kinds, found.limit)
    if len(inside) >= found.limit and "@" not in query.text:
        found.add(await bodies(session).matching(session, query.names, kinds, found.limit * 2), "name")
    found.add(inside, "other")


async def _elsewhere(session: raw.Session, query: Query, kinds: Sequence[str], limit: int) -> list[str]:
    """Wherever it stands. Where so many have a term inside a word that those with a word that begins so may be left
    out, these are asked for too, and first."""
    index = bodies(session)
    inside = await index.matching(session, query.inside, kinds, limit)
    short = len(query.terms[0]) <= SHORT
    if len(inside) < limit or short or query.starts == query.inside:
        return inside
    return [*await index.matching(session, query.starts, kinds, limit), *inside]


async def _numbers(session: raw.Session, query: Query, kinds: Sequence[str], limit: int) -> list[tuple[str, str, str]]:
    international = query.international or query.digits
    national = "" if query.text.startswith("+") else query.digits
    return await repository.by_digits(session, international, national, kinds, limit)


def _add_exact(begun: Sequence[tuple[str, str, str]], query: Query, country: str, found: _Found) -> None:
    meant = try_parse(query.text, country)
    for record_id, e164, national in begun:
        whole = national == query.digits or e164[1:] in (query.digits, query.international)
        if whole or (meant is not None and e164 == meant.e164):
            found.add_number(record_id, e164)


async def _by_names(session: raw.Session, query: Query, kinds: Sequence[str], limit: int) -> list[str]:
    word = query.terms[0]
    statement = (
        "SELECT d.record_id FROM search_words AS w JOIN search_documents AS d ON d.doc = w.doc "
        f"WHERE w.word >= ? AND w.word < ?{' AND d.kind {in}' if kinds else ''} "
        f"ORDER BY w.word, w.doc LIMIT {int(limit) * 2}"  # a record may be there with two words
    )
    rows = await raw.rows(session, statement, [word, word + _HIGHEST, *([list(kinds)] if kinds else [])])
    return list(dict.fromkeys(row[0] for row in rows))[:limit]


def _hit(record: people.Record, matched: str, number: str | None, query: Query) -> Hit:
    """How a record was found; of those with several terms the names tell, wherever they were found."""
    if matched == "other" and len(query.terms) > 1:
        found = name_words((record.name, record.reading))
        if all(any(word.startswith(term) for word in found) for term in query.terms):
            matched = "name"
    return Hit(record, matched, number)


def _ranked(hits: list[Hit], query: Query) -> list[Hit]:
    """Names with more of the terms as whole words go before others, and those before the rest; else the order in
    which they were found. Only one term may be a number, and then nothing is to be moved past what it found."""
    terms = set(query.terms)

    def rank(hit: Hit) -> tuple[bool, int]:
        whole = terms.intersection(name_words((hit.record.name, hit.record.reading)))
        return (hit.matched != "name", -len(whole) if hit.matched == "name" else 0)

    return hits if query.digits else sorted(hits, key=rank)
