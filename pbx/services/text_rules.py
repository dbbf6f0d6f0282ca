"""What the gate for texts and the composer are told by others: prices, credit, and the hours that the law allows.

Each is a function that may be replaced when the engine is put together; by default a price is the organisation's own
setting, nobody counts credit, and every hour is allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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


PriceOf = Callable[[Any, Planned], Awaitable[Price | None]]
"""Called with the store's session."""
CreditOf = Callable[[Any, Planned], Awaitable[int | None]]
"""The account's credit in micro-units; None where nobody counts it."""
HoursOf = Callable[[Any, Planned], Awaitable[Hours]]


async def price_by_setting(session: Any, planned: Planned) -> Price | None:
    each = planned.settings["texts.segment_price_micros"]
    return None if each is None else Price(each * planned.segments, planned.settings["texts.currency"])


async def uncounted(session: Any, planned: Planned) -> int | None:
    return None


async def any_hour(session: Any, planned: Planned) -> Hours:
    return Hours()


@dataclass(slots=True)
class TextRules:
    """Read at each use, so that a part that is replaced is asked from then on."""

    price: PriceOf = field(default=price_by_setting)
    credit: CreditOf = field(default=uncounted)
    hours: HoursOf = field(default=any_hour)
