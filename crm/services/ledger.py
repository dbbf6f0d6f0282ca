"""The organisation's account: complimentary credit, top-ups, adjustments, and what calls and texts cost (N4).

Every change is a posting from one account to another. The account ``balance`` is what there is to spend; the others
say where it came from and what it went for. Nothing is ever changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields, ids, paging
from crm.billing import Balance, Charge, Posting
from crm.errors import Refused, conflict, not_found
from crm.repositories import money
from crm.repositories.money import BALANCE
from crm.services import settings, webhook_outbox
from crm.unit_of_work import UnitOfWork

COMPLIMENTARY, TOP_UP, ADJUSTMENT = "complimentary", "top_up", "adjustment"
PAID_IN = (COMPLIMENTARY, TOP_UP)
KINDS = (COMPLIMENTARY, TOP_UP, ADJUSTMENT, "call", "text")
_SOURCE = {COMPLIMENTARY: "complimentary", TOP_UP: "payments", ADJUSTMENT: "adjustments"}
_SPENT_ON = {"call": "calls", "text": "texts"}
_MOST = 10**15


async def opened(work: UnitOfWork, values: Mapping[str, Any], at_us: int | None = None) -> tuple[int, int]:
    """The number and the balance of the last posting. The first booking of all is the credit that the account starts
    with: until then its amount and its currency may still be chosen. ``values`` are the settings; ``at_us``: for
    when, where that is not now."""
    seq, left = await money.begin_booking(work.session)
    amount = int(values["billing.complimentary_micros"])
    if seq or not amount:
        return seq, left
    made = _posting(work, 1, 0, COMPLIMENTARY, COMPLIMENTARY, amount, "", str(values["billing.currency"]))
    await _book(work, [replace(made, at_us=min(made.at_us, at_us or made.at_us))], values)
    return 1, amount


async def top_up(work: UnitOfWork, amount_micros: int, memo: str = "", name: str = "") -> Posting:
    """``name`` is the caller's own for this payment: the same again is booked once."""
    amount = fields.one("amount_micros", amount_micros, fields.integer(1, _MOST, "millionths of the currency's unit"))
    return await _by_hand(work, TOP_UP, amount, memo, name)


async def adjust(work: UnitOfWork, amount_micros: int, memo: str, name: str = "") -> Posting:
    """Put something right: what is added, or with a minus taken away. It must say why."""
    amount = fields.one("amount_micros", amount_micros, fields.integer(-_MOST, _MOST, "millionths of the unit"))
    if amount == 0:
        raise Refused("invalid", "An adjustment of nothing changes nothing. Give an amount.", "amount_micros")
    fields.one("memo", memo, fields.text(500))
    return await _by_hand(work, ADJUSTMENT, amount, memo, name)


async def _by_hand(work: UnitOfWork, kind: str, amount: int, memo: str, name: str) -> Posting:
    memo = fields.one("memo", memo, fields.text(500, empty=True))
    name = fields.one("name", name, fields.text(100, empty=True))
    own = f"{kind}:{name}" if name else ids.new(ids.POSTING, work.at_us)
    values = await settings.values(work.session)
    seq, left = await opened(work, values)
    there = await money.posting(work.session, own)
    if there is not None:
        if _change(there) != amount:
            raise conflict("name_taken", "Another amount was booked under this name. Choose another one.", "name")
        return there
    made = _posting(work, seq + 1, left, kind, own, amount, memo, str(values["billing.currency"]))
    await _book(work, [made], values)
    work.record(f"balance.{kind}", made.id, None, {"amount_micros": amount, "memo": memo})
    return made


def _posting(
    work: UnitOfWork, seq: int, left: int, kind: str, name: str, amount: int, memo: str, currency: str
) -> Posting:
    """``left`` was the balance before it; what is less than nothing is taken away."""
    debit, credit = (BALANCE, _SOURCE[kind]) if amount > 0 else (_SOURCE[kind], BALANCE)
    by, at = str(work.actor), work.at_us
    return Posting(seq, name, kind, debit, credit, abs(amount), left + amount, currency, memo, by, at, at)


async def book_charges(work: UnitOfWork, charges: Sequence[Charge], values: Mapping[str, Any]) -> int | None:
    """What these have cost, each its own posting; gives the balance after them, or None where nothing cost anything:
    that is not booked. ``values`` are the settings."""
    dear = [charge for charge in charges if charge.amount_micros]
    if not dear:
        return None
    seq, left = await opened(work, values, dear[0].ended_us)
    made = []
    for charge in dear:
        seq, left = seq + 1, left - charge.amount_micros
        made.append(_of_charge(charge, seq, left, work))
    await _book(work, made, values)
    return left


async def _book(work: UnitOfWork, made: Sequence[Posting], values: Mapping[str, Any]) -> None:
    """With what webhooks are told where these take the balance below what is little, or to nothing."""
    await money.add_postings(work.session, made)
    before, left = made[0].balance_micros - _change(made[0]), made[-1].balance_micros
    for event, bound in (("balance.empty", 1), ("balance.low", int(values["billing.low_micros"]))):
        if left < bound <= before:
            await webhook_outbox.note_happened(work, event, made[-1].id)
            return


async def left_over(session: AsyncSession) -> int:
    """The balance: of an account that nothing was booked on yet the credit that it will start with."""
    seq, left = await money.last_posting(session)
    return left if seq else int((await settings.values(session))["billing.complimentary_micros"])


def _of_charge(charge: Charge, seq: int, left: int, work: UnitOfWork) -> Posting:
    return Posting(
        seq,
        charge.id,
        charge.kind,
        _SPENT_ON[charge.kind],
        BALANCE,
        charge.amount_micros,
        left,
        charge.currency,
        charge.rate_name,
        str(work.actor),
        charge.ended_us,
        work.at_us,
    )


async def balance(session: AsyncSession) -> Balance:
    values = await settings.values(session)
    free = not await money.tables(session) and not values["gate.minute_price_micros"]
    prepaid, minimum = bool(values["billing.prepaid"]), int(values["billing.text_minimum_micros"])
    low, currency = int(values["billing.low_micros"]), str(values["billing.currency"])
    held = Balance(0, currency, "free" if free else "empty", low, minimum, prepaid)
    return with_left(held, await left_over(session))


def with_left(held: Balance, left: int) -> Balance:
    """The same account with another balance."""
    state = held.state
    if state != "free":
        state = "empty" if left <= 0 else "low" if left < held.low_micros else "ok"
    return replace(held, balance_micros=left, state=state)


async def page(
    session: AsyncSession, *, kinds: Sequence[str] = (), cursor: str | None = None, limit: int = 50
) -> paging.Page[Posting]:
    """The statement, newest first."""
    paging.checked_limit(limit)
    after = paging.decode(cursor)
    for kind in kinds:
        fields.one("kind", kind, fields.choice(*KINDS))
    found = await money.postings(session, before_seq=after[0] if after else None, limit=limit + 1, kinds=kinds)
    return paging.page_of(found, limit, lambda each: (each.seq, each.id))


async def posting(session: AsyncSession, name: str) -> Posting:
    found = await money.posting(session, name)
    if found is None:
        raise not_found("posting", name)
    return found


async def charge(session: AsyncSession, name: str) -> Charge:
    """Of this leg or text."""
    found = await money.charge(session, name)
    if found is None:
        raise not_found("charge", name)
    return found


async def verify(session: AsyncSession) -> int | None:
    """The number of the first posting after which the balance is not what the one before and its amount make; None
    where all is well."""
    seq, balance, cursor = 0, 0, 0
    while True:
        found = await money.postings_after(session, cursor, 1000)
        for each in found:
            balance += _change(each)
            seq += 1
            if each.seq != seq or each.balance_micros != balance:
                return each.seq
        if not found:
            return None
        cursor = found[-1].seq


def _change(posting: Posting) -> int:
    return posting.amount_micros if posting.debit == BALANCE else -posting.amount_micros
