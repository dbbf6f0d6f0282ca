"""Short ways to a user, a number and a call for the tests of the store."""

from __future__ import annotations

from typing import Any

from crm import ids
from crm.records import Number, User
from crm.services import numbers, users
from crm.unit_of_work import Store

DAY_US = 86_400_000_000


async def add_user(store: Store, email: str, **values: Any) -> User:
    async with store.write() as work:
        return await users.add(work, {"email": email, "name": email.split("@")[0]} | values)


async def add_number(store: Store, number: str, **values: Any) -> Number:
    async with store.write() as work:
        return await numbers.add(work, {"number": number} | values)


def call_row(at_us: int, **values: Any) -> dict[str, Any]:
    row = {
        "id": f"c_{ids.ulid(at_us)}",
        "direction": "inbound",
        "state": "ended",
        "source": "engine",
        "created_us": at_us,
        "ended_us": at_us + 1_000_000,
        "disposition": "answered",
    }
    return row | values
