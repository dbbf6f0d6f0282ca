"""The law's rules as admins changed them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.law.law import STATUTE, Law
from crm.law.rules import Change, Rule, defaults
from crm.models.law import LawRule


async def changed_rules(session: AsyncSession) -> tuple[Rule, ...]:
    return tuple(as_rule(row) for row in await session.scalars(select(LawRule).order_by(LawRule.key)))


async def load(session: AsyncSession, previous: Law | None = None) -> Law:
    """The rules in force; ``previous`` itself where no rule was changed since."""
    changes = await changed_rules(session)
    if previous is not None and previous.changes == changes:
        return previous
    return STATUTE.changed(changes)


def as_rule(row: LawRule) -> Rule:
    """Its text is the admin's own, or none: that of the rule before need not be true any more."""
    kind, _, place = row.key.partition(".")
    default = defaults().get(row.key)
    texts = {"en": row.text} if row.text else default.texts if default and default.value == row.value else {}
    change = Change(row.changed_by, row.changed_us, row.reason)
    return Rule(row.key, kind, place, row.value, row.basis, row.source, row.date, texts, change)
