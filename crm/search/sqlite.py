"""The index of bodies on SQLite: FTS5 with its trigram tokenizer.

FTS5 walks the lists of the trigrams side by side and stops at the limit, so a common text costs no more than a rare
one. It keeps no positions (``detail=none``: a third of the size), so that it answers with bodies that hold all
trigrams of a text; whether they stand side by side is then looked up in the body itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.repositories import raw
from crm.search.query import Condition, grams


class SqliteBodies:
    async def matching(
        self, session: raw.Session, conditions: Sequence[Condition], kinds: Sequence[str], limit: int
    ) -> list[str]:
        checks, values = [], [expression(conditions)]
        for condition in conditions:
            checks.append(_check(condition, values))
        if kinds:
            checks.append("d.kind {in}")
        statement = (
            "SELECT d.record_id FROM search_fts AS f JOIN search_documents AS d ON d.doc = f.rowid "
            f"WHERE search_fts MATCH ? AND {' AND '.join(checks)} LIMIT {int(limit)}"
        )
        return [row[0] for row in await raw.rows(session, statement, [*values, *([list(kinds)] if kinds else [])])]

    async def allocate(self, session: AsyncSession, count: int) -> list[int]:
        """Writers are alone on SQLite (BEGIN IMMEDIATE), so what follows the highest number is nobody else's."""
        highest = await session.scalar(text("SELECT coalesce(max(doc), 0) FROM search_documents")) or 0
        return list(range(highest + 1, highest + 1 + count))


def expression(conditions: Sequence[Condition]) -> str:
    """The conditions as an FTS5 query. Trigrams hold letters, digits and spaces only, so quoting is enough."""
    return " AND ".join(
        "("
        + " OR ".join("(" + " AND ".join(f'"{gram}"' for gram in grams(alternative)) + ")" for alternative in condition)
        + ")"
        for condition in conditions
    )


def _check(condition: Condition, values: list[str]) -> str:
    alternatives = []
    for alternative in condition:
        values.extend(alternative)
        alternatives.append("(" + " AND ".join(["instr(d.body, ?) > 0"] * len(alternative)) + ")")
    return "(" + " OR ".join(alternatives) + ")"
