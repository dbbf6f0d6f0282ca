"""What calls and texts cost in the demo, and an account that has been used (N4, R2)."""

from __future__ import annotations

from collections.abc import Sequence

from crm import ids
from crm.models.money import RateTable
from crm.rates import Price, Way
from crm.repositories import money
from crm.services import ledger, pricing, settings
from crm.unit_of_work import UnitOfWork

_TABLES: tuple[tuple[str, Way, tuple[tuple[str, Price], ...]], ...] = (
    ("Calls out", Way.OUTBOUND, (
        ("1", Price("United States and Canada", 12_000)),
        ("1206", Price("Seattle", 9_000)),
        ("1808", Price("Hawaii", 18_000)),
        ("44", Price("United Kingdom", 21_000)),
        ("447", Price("United Kingdom, mobile", 54_000)),
        ("81", Price("Japan", 35_000)),
        ("8190", Price("Japan, mobile", 118_000, 0, 30, 6)),
    )),
    ("Calls in", Way.INBOUND, (("1", Price("Own numbers", 6_000)),)),
    ("Texts", Way.TEXT, (("1", Price("United States and Canada", 8_300)), ("81", Price("Japan", 74_000)))),
)  # fmt: skip


async def seed_money(work: UnitOfWork, texts: Sequence[tuple[str, str, int]]) -> None:
    """Only where nobody has set a price. ``texts`` are those of ours that were taken: the id, to whom, and when."""
    if await money.tables(work.session):
        return
    first = min((at_us for _, _, at_us in texts), default=work.at_us) - 1
    currency = str((await settings.values(work.session))["billing.currency"])
    for name, way, rows in _TABLES:
        await _table(work, name, way, rows, first, currency)
    for text_id, to, at_us in texts:
        await pricing.charge_text(work, text_id, to=to, segments=1, user_id=None, at_us=at_us)
    await ledger.top_up(work, 50_000_000, "Invoice 2041", "demo")


async def _table(
    work: UnitOfWork, name: str, way: Way, rows: Sequence[tuple[str, Price]], first_us: int, currency: str
) -> None:
    table = RateTable(
        id=ids.new(ids.RATE_TABLE, work.at_us),
        name=name,
        direction=way,
        trunk_id=None,
        currency=currency,
        valid_from_us=first_us,
        valid_until_us=None,
        prefixes=len(rows),
        active=True,
        created_us=work.at_us,
        updated_us=work.at_us,
    )
    work.session.add(table)
    await work.flush()
    await money.add_rates(work.session, table.id, rows)
