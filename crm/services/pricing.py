"""What legs and texts have cost, or would cost (N4, R2, T3).

A leg is priced once, after it has ended, by the rate that held when it was answered: what is charged stands for good,
whatever rates say later. Which legs are due is read from the store, so that it does not matter who ended the call,
whether an engine ran then, or how often this one starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.billing import Charge
from crm.errors import Refused
from crm.rates import Rate, RateBook, Way
from crm.repositories import money
from crm.services import ledger, settings
from crm.unit_of_work import UnitOfWork

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Priced:
    """``legs`` are those that were looked at, each as (call, role); ``charges`` what those that talked have cost.
    ``balance_micros`` is None where it is what it was."""

    legs: tuple[tuple[str, str], ...]
    charges: tuple[Charge, ...]
    balance_micros: int | None


@dataclass(frozen=True, slots=True)
class TextPrice:
    """``rate`` is None where nobody has set a price: the text costs nothing."""

    amount_micros: int
    currency: str
    segments: int
    rate: Rate | None


# -- calls -----------------------------------------------------------------------------------------


async def price_due(work: UnitOfWork, limit: int = AT_ONCE) -> Priced:
    """Price legs that have ended, in one transaction with what they are marked by."""
    due = await money.legs_to_price(work.session, limit)
    if not due:
        return Priced((), (), None)
    known = await money.charged(work.session, [leg["id"] for leg in due])
    values = await settings.values(work.session)
    book = await _book(work.session, values, [_number(leg) for leg in due])
    currency = str(values["billing.currency"])
    talked = [leg for leg in due if leg["answered_us"] is not None and leg["id"] not in known]
    charges = tuple(_charge(leg, book, currency, work.at_us) for leg in talked)
    await money.add_charges(work.session, charges)
    left = await ledger.book_charges(work, charges, values)
    await money.mark_priced(work.session, [leg["id"] for leg in due], work.at_us)
    return Priced(tuple((leg["call_id"], leg["role"]) for leg in due), charges, left)


async def book_for(session: AsyncSession, numbers: Sequence[str]) -> RateBook:
    """The rates as far as these numbers need them."""
    return await _book(session, await settings.values(session), numbers)


async def _book(session: AsyncSession, values: Mapping[str, Any], numbers: Sequence[str]) -> RateBook:
    return RateBook(
        await money.matching(session, numbers),
        default_micros=int(values["gate.minute_price_micros"]),
        currency=str(values["billing.currency"]),
    )


def _way(leg: Mapping[str, Any]) -> Way:
    """A customer's own leg of a call that came in is ours to be called; a colleague who was invited costs what the
    house's own rates say; everything else was dialled."""
    if not leg["trunk_id"]:
        return Way.INTERNAL
    return Way.INBOUND if leg["role"] == "customer" and leg["call_direction"] == "inbound" else Way.OUTBOUND


def _number(leg: Mapping[str, Any]) -> str:
    """That the price goes by."""
    return str((leg["did"] if _way(leg) is Way.INBOUND else leg["number"]) or "")


def _charge(leg: Mapping[str, Any], book: RateBook, currency: str, at_us: int) -> Charge:
    way, began, ended = _way(leg), int(leg["answered_us"]), int(leg["ended_us"])
    rate = book.find(way, _number(leg), leg["trunk_id"], began)
    talked = max(0, ended - began)
    return Charge(
        id=leg["id"],
        kind="call",
        call_id=leg["call_id"],
        user_id=leg["user_id"] or leg["call_user_id"],
        direction=way,
        role=leg["role"],
        number=leg["number"],
        trunk_id=leg["trunk_id"],
        began_us=began,
        ended_us=ended,
        units=rate.billed_s(talked) if rate else -(-talked // 1_000_000),
        amount_micros=rate.of_call(talked) if rate else 0,
        currency=currency,
        priced_us=at_us,
        **_as_it_was(rate),
    )


def _as_it_was(rate: Rate | None) -> dict[str, Any]:
    return {
        "table_id": rate.table_id or None if rate else None,
        "prefix": rate.prefix if rate else "",
        "rate_name": rate.name if rate else "",
        "price_micros": rate.price_micros if rate else 0,
        "setup_micros": rate.setup_micros if rate else 0,
        "first_s": rate.first_s if rate else 0,
        "then_s": rate.then_s if rate else 0,
    }


# -- texts -----------------------------------------------------------------------------------------


async def price_of_text(
    session: AsyncSession, to: str, segments: int, *, media: bool = False, trunk_id: str | None = None, at_us: int
) -> TextPrice:
    """What this text will cost. ``to`` is E.164, ``trunk_id`` the trunk or transport that carries it. One with files
    (``media``) counts as one, where it has a price of its own."""
    book = await book_for(session, [to])
    rate = book.find(Way.TEXT, to, trunk_id, at_us)
    currency = str((await settings.values(session))["billing.currency"])
    if media and rate is not None and rate.with_media is not None:
        rate, segments = rate.with_media, 1
    return TextPrice(rate.of_text(segments) if rate else 0, currency, segments, rate)


async def check_text_credit(session: AsyncSession, price: TextPrice) -> None:
    """Raises Refused (402) where the balance would fall below what must be left for texts (N4)."""
    held = await ledger.balance(session)
    if not price.amount_micros or not held.prepaid:
        return
    if held.balance_micros - price.amount_micros < held.text_minimum_micros:
        raise Refused(
            "no_credit",
            "The balance is too low to send this text. Top the account up, then send it again.",
            status=402,
        )


async def charge_text(
    work: UnitOfWork,
    message_id: str,
    *,
    to: str,
    segments: int,
    user_id: str | None,
    media: bool = False,
    trunk_id: str | None = None,
    at_us: int | None = None,
) -> Charge | None:
    """Charge for a text that was taken by its carrier, once, however often it is said. None: it was charged before."""
    if message_id in await money.charged(work.session, [message_id]):
        return None
    at = work.at_us if at_us is None else at_us
    price = await price_of_text(work.session, to, segments, media=media, trunk_id=trunk_id, at_us=at)
    charge = Charge(
        id=message_id,
        kind="text",
        call_id=None,
        user_id=user_id,
        direction=Way.TEXT,
        role="",
        number=to,
        trunk_id=trunk_id,
        began_us=at,
        ended_us=at,
        units=price.segments,
        amount_micros=price.amount_micros,
        currency=price.currency,
        priced_us=work.at_us,
        **_as_it_was(price.rate),
    )
    await money.add_charges(work.session, [charge])
    await ledger.book_charges(work, [charge], await settings.values(work.session))
    return charge
