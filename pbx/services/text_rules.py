"""What the gate for texts and the composer are told by others: prices, credit, and the hours that the law allows.

Each is a function that may be replaced when the engine is put together; by default the rate tables, the account and
the law's rules speak.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.law import NotBefore, Unknown
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
    media: bool = False


PriceOf = Callable[[Any, Planned], Awaitable[Price | None]]
"""Called with the store's session."""
CreditOf = Callable[[Any, Planned], Awaitable[int | None]]
"""What of the account's credit may be spent on texts; None where nobody counts it."""
HoursOf = Callable[[Any, Planned], Awaitable[Hours]]


async def price_by_rates(session: Any, planned: Planned) -> Price | None:
    if not planned.receiver.startswith("+"):
        return None
    way = planned.transport_id or None
    found = await pricing.price_of_text(
        session, planned.receiver, planned.segments, media=planned.media, trunk_id=way, at_us=planned.at_us
    )
    return Price(found.amount_micros, found.currency) if found.rate is not None else None


async def credit_of_account(session: Any, planned: Planned) -> int | None:
    held = await ledger.balance(session)
    return held.balance_micros - held.text_minimum_micros if held.prepaid else None


async def lawful_hours(session: Any, planned: Planned) -> Hours:
    """Who writes first waits for the law's hours; an answer to who wrote within a day does not, unless all wait: as the
    setting ``texts.calling_hours`` says."""
    policy = planned.settings["texts.calling_hours"]
    if policy == "off" or (planned.reply and policy != "all"):
        return Hours()
    found = planned.law.hours(planned.receiver, planned.at_us, mode="text")
    if isinstance(found, NotBefore):
        return Hours(False, found.at_us, found.text_sentence)
    return Hours(False, None, found.text_sentence) if isinstance(found, Unknown) else Hours()


@dataclass(slots=True)
class TextRules:
    """Read at each use, so that a part that is replaced is asked from then on."""

    price: PriceOf = field(default=price_by_rates)
    credit: CreditOf = field(default=credit_of_account)
    hours: HoursOf = field(default=lawful_hours)
