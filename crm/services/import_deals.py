"""Deals from lines of a file: known again by their external id, else by name and whom they are with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select

from crm.csv_files import Line
from crm.errors import Refused, printable
from crm.models.people import Deal
from crm.repositories import people as repository
from crm.search.text import fold
from crm.services import deals, notes
from crm.services.import_batch import Tally
from crm.services.import_rows import cells_by_field
from crm.unit_of_work import UnitOfWork

_MONEY = str.maketrans("", "", ",¥￥$€£ 円")
_STATUSES = {"won": "won", "closed won": "won", "受注": "won", "lost": "lost", "closed lost": "lost", "失注": "lost"}
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%m/%d/%Y", "%d.%m.%Y")


async def write(
    work: UnitOfWork, line: Line, columns: Sequence[str | None], owners: Mapping[str, str], tally: Tally
) -> None:
    """Raises Refused with the reason for a line that cannot be kept."""
    cells = cells_by_field(line, columns)
    values = _values(cells) | await _links(work, cells)
    if owner := owners.get(fold(cells.get("owner", ""))):
        values["owner_id"] = owner
    known = await _known(work, values)
    if known is None:
        deal = await deals.add(work, values)
        tally.added += 1
        if cells.get("note") and deal.record_id:
            await notes.add(work, deal.record_id, cells["note"], deal_id=deal.id)
        return
    before = await deals.show(work.session, known)
    if any(getattr(before, name) != value for name, value in values.items()):
        await deals.change(work, known, values)
        tally.changed += 1


def _values(cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: cells[name] for name in ("external_id", "name", "stage", "currency") if name in cells
    }
    if "currency" in values:
        values["currency"] = values["currency"].upper()
    if "status" in cells:
        values["status"] = _STATUSES.get(cells["status"].strip().lower(), "open")
    if "value" in cells:
        values["value_micros"] = _money(cells["value"])
    if "closes" in cells:
        values["closes_us"] = _date(cells["closes"])
    return values


def _money(text: str) -> int:
    try:
        amount = Decimal(text.translate(_MONEY))
        if not 0 <= amount < 10**9:
            raise InvalidOperation
    except InvalidOperation:
        raise Refused(
            "invalid", f"“{printable(text)}” is not an amount of money. Write it as 1234.50, below a billion.", "value"
        ) from None
    return int(amount * 1_000_000)


def _date(text: str) -> int:
    for form in _DATES:
        try:
            return int(datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp()) * 1_000_000
        except (ValueError, OverflowError):
            continue
    raise Refused("invalid", f"“{printable(text)}” is not a date. Write it as 2026-12-31.", "closes")


async def _links(work: UnitOfWork, cells: Mapping[str, str]) -> dict[str, Any]:
    """The company and the person of the deal, as far as they are known; nobody is made for a deal."""
    links: dict[str, Any] = {}
    if company := cells.get("company"):
        links["company_id"] = await repository.company_named(work.session, fold(company))
    if address := cells.get("contact_email", "").strip().lower():
        links["record_id"] = await repository.person_by_email(work.session, address)
    if not links.get("record_id") and (name := cells.get("contact")):
        links["record_id"] = await repository.person_named(work.session, fold(name))
    return {name: value for name, value in links.items() if value is not None}


async def _known(work: UnitOfWork, values: Mapping[str, Any]) -> str | None:
    if values.get("external_id"):
        return await work.session.scalar(select(Deal.id).where(Deal.external_id == values["external_id"]))
    query = select(Deal.id).where(
        Deal.name == values.get("name", ""),
        Deal.record_id.is_not_distinct_from(values.get("record_id")),
        Deal.company_id.is_not_distinct_from(values.get("company_id")),
    )
    return await work.session.scalar(query.order_by(Deal.id).limit(1))
