"""The index of bodies on PostgreSQL: GIN over the trigrams of ``pg_trgm``.

GIN answers with every match at once: a text that half of the people have costs tens of milliseconds even for twenty of
them. Two more indexes hold a sixty-fourth and an eighth of the bodies. Whoever has twenty matches in the sixty-fourth
is served from there; whoever has not has some thousand in all at most, which the larger ones find quickly.

The database must know letters beyond ASCII (a UTF-8 ``LC_CTYPE`` such as C.UTF-8 or en_US.UTF-8), as ``pg_trgm`` makes
no trigrams of what it takes for punctuation.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.repositories import raw
from crm.search.query import Condition, grams

_PARTS = ("doc % 64 = 0", "doc % 8 = 0", "true")
_PREPARED = "search planner"
_PLANNER = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
    "set_config('plan_cache_mode', 'force_generic_plan', true)"
)
"""For this transaction only. The planner multiplies the chances of texts that never stand together and, for the sake
of the limit, reads the whole table in the hope of an early end. All texts are asked for in one way: it need not plan
anew for each."""


class PostgresBodies:
    async def matching(
        self, session: raw.Session, conditions: Sequence[Condition], kinds: Sequence[str], limit: int
    ) -> list[str]:
        assert isinstance(session, AsyncSession)
        if _PREPARED not in session.info:
            await raw.rows(session, _PLANNER, [])
            session.info[_PREPARED] = True
        tests: list[str] = []
        values: list[str] = []
        for condition in conditions:
            tests.append(_test(condition, values))
        if kinds:
            tests.append("kind {in}")
        statement = _ladder(" AND ".join(tests), int(limit))
        rows = await raw.rows(session, statement, [*values, *([list(kinds)] if kinds else [])] * len(_PARTS))
        return list(dict.fromkeys(row[0] for row in rows))[:limit]

    async def allocate(self, session: AsyncSession, count: int) -> list[int]:
        statement = text("SELECT nextval('search_doc') FROM generate_series(1, :count)")
        return list(await session.scalars(statement, {"count": count}))


def _ladder(where: str, limit: int) -> str:
    """One statement that looks into the next larger part only where the one before had too few. The few that it finds
    stand in the order in which they came, as on SQLite: a list that is asked for again looks the same."""
    steps, enough = [], ""
    for number, part in enumerate(_PARTS):
        select = f"SELECT record_id, doc FROM search_documents WHERE {part} AND {where}{enough} LIMIT {limit}"
        steps.append(f"part{number} AS MATERIALIZED ({select})")
        enough += f" AND (SELECT count(*) FROM part{number}) < {limit}"
    union = " UNION ALL ".join(f"SELECT record_id, doc FROM part{number}" for number in range(len(_PARTS)))
    return f"WITH {', '.join(steps)} {union} ORDER BY doc"


def _test(condition: Condition, values: list[str]) -> str:
    """A few trigrams for the index, then the texts themselves. Both hold letters, digits and spaces only: nothing in
    them means anything to LIKE."""
    alternatives = []
    for alternative in condition:
        asked = [f"%{gram}%" for gram in grams(alternative)]
        values.extend((*asked, *alternative))
        tests = ["body LIKE ?"] * len(asked) + ["strpos(body, ?) > 0"] * len(alternative)
        alternatives.append("(" + " AND ".join(tests) + ")")
    return "(" + " OR ".join(alternatives) + ")"
