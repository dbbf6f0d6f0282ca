"""What the gate for texts and the composer are told by others: prices, credit, and the hours that the law allows.

Each is a function that may be replaced when the engine is put together; by default the rate tables, the account and
the law's rules speak.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.law.hours import NotBefore
from crm.law.law import Law
from crm.services import ledger, pricing
from pbx.core.messaging.gate import Hours


@dataclass(frozen=True, slots=True)
class Price:
    """Of a whole text, in micro-units."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A text that may be sent: ``at_us`` is when, ``reply`` says that the receiver wrote to us in the last 24 hours."""

    sender: str
    receiver: str
    segments: int
    at_us: int
    reply: bool
    settings: Mapping[str, Any]
    law: Law
    transport_id: str


PriceOf = Callable[[Any, Planned], Awaitable[Price | None]]
"""Called with the store's session."""
CreditOf = Callable[[Any, Planned], Awaitable[int | None]]
"""What of the account's credit may be spent on texts; None where nobody counts it."""
HoursOf = Callable[[Any, Planned], Awaitable[Hours]]


async def price_by_rates(session: Any, planned: Planned) -> Price | None:
    if not planned.receiver.startswith("+"):
        return None
    way = planned.transport_id or None
    found = await pricing.price_of_text(session, planned.receiver, planned.segments, trunk_id=way, at_us=planned.at_us)
    return Price(found.amount_micros, found.currency) if found.rate is not None else None


async def credit_of_account(session: Any, planned: Planned) -> int | None:
    held = await ledger.balance(session)
    return held.balance_micros - held.text_minimum_micros if held.prepaid else None


async def any_hour(session: Any, planned: Planned) -> Hours:
    return Hours()


async def lawful_hours(session: Any, planned: Planned) -> Hours:
    """Who has written to us lately may be answered at any hour; who has not, within the law's."""
    found = planned.law.hours(planned.receiver, planned.at_us, mode="text")
    if found.allowed or planned.reply:
        return Hours()
    if isinstance(found, NotBefore):
        there = f"{found.moment:%Y-%m-%d %H:%M} ({found.moment.tzinfo})"
        return Hours(
            False,
            found.at_us,
            f"It is outside the hours for texts where this number is. Schedule it for {there} or later.",
        )
    return Hours(
        False, None, "The local time of this number is not known. Call it instead, or wait for a text from it."
    )


@dataclass(slots=True)
class TextRules:
    """Read at each use, so that a part that is replaced is asked from then on."""

    price: PriceOf = field(default=price_by_rates)
    credit: CreditOf = field(default=credit_of_account)
    hours: HoursOf = field(default=lawful_hours)
