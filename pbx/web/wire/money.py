"""Rates, prices, the account and bills over the wire. Money is in micro-units of the currency."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import billing, rates
from crm.services.rates import RateLine
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view

Direction = Literal["outbound", "inbound", "internal", "text"]
PostingKind = Literal["complimentary", "top_up", "adjustment", "call", "text"]

RateTableView = view(rates.RateTable)
RateLineView = view(RateLine)
BalanceView = view(billing.Balance)
PostingView = view(billing.Posting)
ChargeView = view(billing.Charge)
CostView = view(billing.Cost)
BillView = view(billing.Bill)
BillMonthView = view(billing.BillMonth)


class RateTableChange(Body):
    name: str = ""
    valid_from_us: int = 0
    valid_until_us: int | None = Field(None, description="Null: until a later table begins.")


class NewRateTable(RateTableChange):
    """A table from a file that was uploaded with POST /imports. It holds once all of it has been read."""

    import_id: str = Field(max_length=64, description="Of the uploaded file.")
    name: str
    direction: Direction = Field(description="inbound is priced by your own number, all others by the number called.")
    trunk_id: str | None = Field(None, description="For calls by this trunk alone; null: for all others.")
    currency: str = Field("", description="That of the account.")
    mapping: dict[str, str] = Field(
        default_factory=dict,
        max_length=100,
        description="Fields by names of columns: prefix, price, name, setup, increments, first, then.",
        examples=[{"Code": "prefix", "Rate": "price"}],
    )


class RateQuery(PageQuery):
    begins: str = Field("", description="Only prefixes that begin with these digits.")


class PriceQuery(Query):
    to: str = Field(max_length=200, description="The number, in any notation.")
    direction: Direction = "outbound"
    trunk_id: str | None = None


class RateView(Answer):
    """The first `first_s` seconds are charged in any case, what follows in steps of `then_s`."""

    currency: str
    price_micros: int = Field(description="Of a minute, or of a segment of a text.")
    setup_micros: int = Field(description="Once, when it is answered.")
    first_s: int
    then_s: int
    name: str = Field(description="Of the destination, as the rate table calls it.")
    prefix: str


class PriceView(Answer):
    number: str
    display: str
    rate: RateView | None = Field(description="Null where nobody has set a price.")


class LegCost(Answer):
    """A leg that costs something while it is up: what it has cost follows from `answered_us` and the rate."""

    leg: str
    user_id: str | None
    number: str | None
    display: str | None
    direction: Direction
    answered_us: int | None
    ended_us: int | None
    rate: RateView | None


class CallCost(Answer):
    """`charges` are of legs that are over and priced, `legs` of all others."""

    legs: list[LegCost]
    charges: list[ChargeView]  # type: ignore[valid-type]
    amount_micros: int = Field(description="Of what has been priced.")
    currency: str


class TopUp(Body):
    amount_micros: int = Field(examples=[50_000_000])
    memo: str = Field("", max_length=500, examples=["Invoice 2026-118"])
    name: str = Field("", max_length=100, description="Your own for this payment: the same again is booked once.")


class Adjustment(TopUp):
    """What is added, or with a minus taken away."""

    memo: str = Field(max_length=500, description="Why.")


class LedgerQuery(PageQuery):
    kind: PostingKind | None = None


class BillChargesQuery(PageQuery):
    user: str | None = Field(None, max_length=64, description="Only this user's (id).")
