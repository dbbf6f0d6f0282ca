"""Settings of the organisation: what holds, what may be changed, and back to the default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.errors import Refused, conflict, not_found
from crm.models.organisation import Setting
from crm.notices import RECORDING
from crm.repositories import money, organisation
from crm.services import notices
from crm.settings_registry import REGISTRY, Declared, effective
from crm.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class SettingView:
    """``changed`` says whether the value is other than by default."""

    key: str
    value: Any
    default: Any
    kind: str
    choices: tuple[str, ...]
    description: str
    changed: bool


async def values(session: AsyncSession) -> dict[str, Any]:
    """Every key with the value that holds."""
    return effective(await organisation.changed_settings(session))


async def list_all(session: AsyncSession) -> list[SettingView]:
    changed = await organisation.changed_settings(session)
    return [_view(declared, changed) for _, declared in sorted(REGISTRY.items())]


async def show(session: AsyncSession, key: str) -> SettingView:
    return _view(_declared(key), await organisation.changed_settings(session))


async def change(work: UnitOfWork, key: str, value: Any) -> SettingView:
    """Recording is switched on only once somebody has accepted the notice about it (N5)."""
    declared = _declared(key)
    kept = fields.one(key, value, declared.check)
    if key == "billing.currency":
        await _check_currency(work.session, kept)
    if key == "recording.enabled" and kept:
        await notices.check_accepted(work, RECORDING.key)
    before = await show(work.session, key)
    row = await work.session.get(Setting, key)
    if row is None:
        work.session.add(Setting(key=key, value=kept, updated_us=work.at_us))
    else:
        row.value, row.updated_us = kept, work.at_us
    await work.flush()
    work.record("setting.change", key, {"value": before.value}, {"value": kept})
    return await show(work.session, key)


async def _check_currency(session: AsyncSession, currency: str) -> None:
    """Amounts mean nothing without it."""
    if await money.currencies(session) - {currency}:
        raise conflict(
            "currency_in_use",
            "The account or a rate table is in another currency already. Remove the tables first; an account that "
            "something was booked on keeps its currency.",
            "billing.currency",
        )


async def remove(work: UnitOfWork, key: str) -> SettingView:
    """Back to the default."""
    before = await show(work.session, key)
    if key == "billing.currency":
        await _check_currency(work.session, str(before.default))
    row = await work.session.get(Setting, key)
    if row is not None:
        await work.session.delete(row)
        await work.flush()
        work.record("setting.remove", key, {"value": before.value}, {"value": before.default})
    return await show(work.session, key)


def from_text(key: str, text: str) -> Any:
    """A value as typed on a command line: lists with commas or as JSON, objects as JSON, empty for none."""
    declared = _declared(key)
    try:
        return _READERS.get(declared.kind, str)(text.strip())
    except (ValueError, RecursionError):
        raise Refused("invalid", _HOW_TO_WRITE[declared.kind], key) from None


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _integer(text: str) -> int | None:
    return int(text) if text else None


def _list(text: str) -> Any:
    return json.loads(text) if text.startswith("[") else [item.strip() for item in text.split(",") if item.strip()]


_READERS: dict[str, Any] = {"boolean": _boolean, "integer": _integer, "list": _list, "object": json.loads}
_HOW_TO_WRITE = {
    "boolean": "Write on or off.",
    "integer": "Write a whole number, or nothing for no limit.",
    "list": "Write the entries with commas between them, for example US,JP.",
    "object": 'Write it as JSON, for example {"JP": ["110", "119"]}.',
}


def _declared(key: str) -> Declared:
    declared = REGISTRY.get(key) if isinstance(key, str) else None
    if declared is None:
        raise not_found("setting", str(key))
    return declared


def _view(declared: Declared, changed: dict[str, Any]) -> SettingView:
    value = changed.get(declared.key, declared.default)
    return SettingView(
        declared.key,
        value,
        declared.default,
        declared.kind,
        declared.choices,
        declared.description,
        declared.key in changed,
    )
