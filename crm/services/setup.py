"""What is still to be done until a new organisation can take its first call, computed from what there is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crm.notices import VOICE
from crm.repositories import accounts, calls, telephony
from crm.services import notices


@dataclass(frozen=True, slots=True)
class Step:
    """``key`` is notice, trunk, number, user, phone or first_call."""

    key: str
    done: bool


async def steps(session: AsyncSession) -> list[Step]:
    """In the order in which one does them."""
    numbers = await telephony.numbers(session)
    reachable = {number.user_id for number in numbers}
    phones = [*await telephony.devices(session), *(phone for _, phone in await telephony.browsers(session))]
    done = {
        "notice": await notices.accepted(session, VOICE.key),
        "trunk": any(trunk.enabled for trunk in await telephony.trunks(session)),
        "number": bool(numbers),
        "user": any(user.id in reachable for user in await accounts.users(session, active=True)),
        "phone": any(phone.enabled for phone in phones),
        "first_call": await calls.any_answered(session),
    }
    return [Step(key, each) for key, each in done.items()]
