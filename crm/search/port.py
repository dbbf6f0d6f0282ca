"""What search needs of a database beyond plain SQL: which bodies hold given texts, the first few, fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crm.repositories import raw
from crm.search.query import Condition


class BodyIndex(Protocol):
    async def matching(
        self, session: raw.Session, conditions: Sequence[Condition], kinds: Sequence[str], limit: int
    ) -> list[str]:
        """Ids of up to ``limit`` records whose body fulfils every condition. Which ones, where there are more, is not
        said; where there are fewer, it is all of them. ``kinds`` empty means every kind."""
        ...

    async def allocate(self, session: AsyncSession, count: int) -> list[int]:
        """So many document numbers that nobody else has or will get."""
        ...
