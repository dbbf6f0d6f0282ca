"""The law's rules: what holds, changed by an admin with source and reason, and back to how they came (P5).

A change is in the audit log and holds for the next call and text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.errors import Refused, not_found
from crm.law.rules import BASES, KINDS, Change, Rule, check_value, defaults, read_key
from crm.models.law import LawRule as Row
from crm.repositories import law as repository
from crm.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in force. ``default`` is what it came with, nothing for one that an admin added; ``unchecked``: nobody has
    compared it with its source yet. Who changes it, or writes it down again as it is, has."""

    key: str
    kind: str
    place: str
    value: dict[str, Any]
    basis: str
    source: str
    date: str
    text: str
    default: dict[str, Any] | None
    changed: Change | None
    unchecked: bool


_CHECKS: dict[str, fields.Check] = {
    "value": lambda value: value,
    "basis": fields.choice(*BASES),
    "source": fields.text(300),
    "date": fields.matching(r"[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])", "Write a day as 2026-12-31."),
    "text": fields.text(500, empty=True),
    "reason": fields.text(500),
}


async def list_all(session: AsyncSession, *, kind: str | None = None, language: str = "en") -> list[RuleView]:
    if kind is not None and kind not in KINDS:
        raise Refused("invalid", f"There are rules of these kinds: {', '.join(KINDS)}.", "kind")
    rules = (await repository.load(session)).rules.values()
    return [_view(rule, language) for rule in rules if kind in (None, rule.kind)]


async def show(session: AsyncSession, key: str, *, language: str = "en") -> RuleView:
    rule = (await repository.load(session)).rules.get(key)
    if rule is None:
        raise not_found("rule", key)
    return _view(rule, language)


async def change(work: UnitOfWork, key: str, values: Mapping[str, Any]) -> RuleView:
    """Put another rule in its place, or add one for a place that has none. Where it stands (``source``), since when
    (``date``) and why it is changed (``reason``) must be said."""
    kind, _ = read_key(key)
    given = fields.read(values, _CHECKS, ("value", "source", "date", "reason"))
    given["value"] = check_value(kind, given["value"])
    before = (await repository.load(work.session)).rules.get(key)
    row = await work.session.get(Row, key)
    if row is None:
        row = Row(key=key, basis=before.basis if before else "law", text="")
        work.session.add(row)
    for name, value in {"text": "", **given}.items():
        setattr(row, name, value)
    row.changed_by, row.changed_us = _who(work), work.at_us
    await work.flush()
    work.record("law.change", key, _audited(before), _audited(repository.as_rule(row)) | {"reason": row.reason})
    return _view(repository.as_rule(row), "en")


async def remove(work: UnitOfWork, key: str) -> RuleView | None:
    """Back to how it came; None for one that an admin had added, which is gone."""
    row = await work.session.get(Row, key)
    default = defaults().get(key)
    if row is None:
        if default is None:
            raise not_found("rule", key)
        return _view(default, "en")
    before = repository.as_rule(row)
    await work.session.delete(row)
    await work.flush()
    work.record("law.remove", key, _audited(before), _audited(default))
    return _view(default, "en") if default else None


def _who(work: UnitOfWork) -> str:
    return work.actor.name or str(work.actor)


def _audited(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    return {"value": dict(rule.value), "basis": rule.basis, "source": rule.source, "date": rule.date}


def _view(rule: Rule, language: str) -> RuleView:
    default = defaults().get(rule.key)
    return RuleView(
        rule.key,
        rule.kind,
        rule.place,
        dict(rule.value),
        rule.basis,
        rule.source,
        rule.date,
        rule.text(language),
        dict(default.value) if default else None,
        rule.changed,
        rule.unchecked,
    )
