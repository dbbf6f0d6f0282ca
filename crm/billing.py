"""What has been charged and booked, as the store gives it out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Charge:
    """The price of one leg or text. ``units`` are the seconds that were charged, or the segments."""

    id: str
    kind: str
    call_id: str | None
    user_id: str | None
    direction: str
    role: str
    number: str | None
    trunk_id: str | None
    began_us: int
    ended_us: int
    units: int
    table_id: str | None
    prefix: str
    rate_name: str
    price_micros: int
    setup_micros: int
    first_s: int
    then_s: int
    amount_micros: int
    currency: str
    priced_us: int


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount that went from the account ``credit`` to the account ``debit``."""

    seq: int
    id: str
    kind: str
    debit: str
    credit: str
    amount_micros: int
    balance_micros: int
    currency: str
    memo: str
    actor: str
    at_us: int
    booked_us: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call: all its legs together."""

    amount_micros: int
    currency: str
    legs: int


@dataclass(frozen=True, slots=True)
class Balance:
    """``state`` is ok, low or empty, or free where nothing costs anything."""

    balance_micros: int
    currency: str
    state: str
    low_micros: int
    text_minimum_micros: int
    prepaid: bool


@dataclass(frozen=True, slots=True)
class BillLine:
    """One sum of a bill: of a user (id), a destination, or a direction. ``units`` are seconds charged, or segments
    of texts."""

    name: str
    kind: str
    count: int
    units: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Bill:
    """A month of the organisation's time zone. ``opening_micros`` and ``closing_micros`` are the balance by the moments
    that postings count for; ``calls_micros`` and ``texts_micros`` are the sums of the charges."""

    month: str
    since_us: int
    until_us: int
    time_zone: str
    currency: str
    opening_micros: int
    paid_in_micros: int
    adjusted_micros: int
    calls_micros: int
    texts_micros: int
    closing_micros: int
    charges: int
    users: tuple[BillLine, ...]
    destinations: tuple[BillLine, ...]
    directions: tuple[BillLine, ...]


@dataclass(frozen=True, slots=True)
class BillMonth:
    """``open``: it is not over yet."""

    month: str
    open: bool
