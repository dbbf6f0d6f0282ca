"""Outcomes to begin with, in the organisation's language."""

from __future__ import annotations

from crm.services import outcomes, settings
from crm.unit_of_work import UnitOfWork

_COLOURS = ("#16a34a", "#0891b2", "#6b7280", "#d97706", "#dc2626", "#2563eb")
_NAMES = {
    "en": ("Connected", "Left message", "No answer", "Wrong number", "Not interested", "Meeting booked"),
    "ja": ("通話できた", "伝言を残した", "応答なし", "番号違い", "見込みなし", "アポイント獲得"),
}


async def seed(work: UnitOfWork) -> None:
    """Only where there are none: whoever has defined their own keeps them."""
    if await outcomes.list_all(work.session):
        return
    language = (await settings.values(work.session))["default_language"]
    for position, (name, colour) in enumerate(zip(_NAMES[language], _COLOURS, strict=True)):
        await outcomes.add(work, {"name": name, "colour": colour, "key": position + 1, "position": position})
