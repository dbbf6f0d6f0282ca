"""What a call costs while it runs, and has cost: what the bar counts from, and what the log shows (R2, V7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.billing import Charge
from crm.directory import Directory
from crm.rates import Way
from crm.repositories.money import charges_of
from pbx.services.prices import Prices, rate_view

__all__ = ["charges_of", "cost_view"]

Row = Mapping[str, Any]


def cost_view(call: Row, charges: Sequence[Charge], prices: Prices, directory: Directory) -> dict[str, Any]:
    priced = {charge.id for charge in charges}
    currency = charges[0].currency if charges else str(directory.settings["billing.currency"])
    return {
        "legs": [_leg(call, leg, prices) for leg in call["legs"] if leg["id"] not in priced and _may_cost(leg)],
        "charges": list(charges),
        "amount_micros": sum(charge.amount_micros for charge in charges),
        "currency": currency,
    }


def _may_cost(leg: Row) -> bool:
    """One that left the house, and is up, or waits for its price."""
    return bool(leg["trunk_id"]) and (leg["ended_us"] is None or leg["answered_us"] is not None)


def _leg(call: Row, leg: Row, prices: Prices) -> dict[str, Any]:
    way = Way.INBOUND if leg["role"] == "customer" and call["direction"] == "inbound" else Way.OUTBOUND
    number = call["did"] if way is Way.INBOUND else leg["number"]
    return {
        "leg": leg["id"],
        "user_id": leg["user_id"] or call["user_id"],
        "number": leg["number"],
        "direction": way.value,
        "answered_us": leg["answered_us"],
        "ended_us": leg["ended_us"],
        "rate": rate_view(prices.call(number or "", leg["trunk_id"], way)),
    }
