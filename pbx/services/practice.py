"""Practising with the carrier that plays the public network: what its numbers do, and being called by one of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Protocol

import structlog

from crm.errors import Refused, conflict
from crm.records import User

log = structlog.get_logger("practice")

NUMBERS: Mapping[str, Mapping[str, str]] = {
    "+12065550150": {"en": "answers and speaks", "ja": "応答して話します"},
    "+12065550151": {"en": "is busy", "ja": "話し中です"},
    "+12065550152": {"en": "rings for ever", "ja": "鳴り続けます"},
    "+12065550153": {"en": "declines", "ja": "着信を拒否します"},
    "+12065550154": {"en": "answers after 8 s", "ja": "8秒後に応答します"},
    "+12065550155": {"en": "repeats digits pressed", "ja": "押した番号を復唱します"},
    "+12065550156": {"en": "a mailbox that beeps", "ja": "留守番電話につながります"},
    "+12065550157": {"en": "an echo", "ja": "声をそのまま返します"},
    "+12065550158": {"en": "speaks before answering", "ja": "応答前に案内が流れます"},
    "+12065550159": {"en": "does not exist", "ja": "存在しない番号です"},
    "+12065550130": {"en": "a mobile that accepts", "ja": "転送を受ける携帯電話です"},
    "+12065550131": {"en": "a mobile's mailbox", "ja": "携帯電話の留守番電話です"},
}
"""What can be dialled there, and what each does, by language."""

TEXT_NUMBERS: Mapping[str, Mapping[str, str]] = {
    "+12065550140": {"en": "answers texts", "ja": "メッセージに返信します"},
    "+12065550141": {"en": "cannot be delivered to", "ja": "メッセージが届かない番号です"},
    "+12065550142": {"en": "takes texts", "ja": "メッセージを受け取ります"},
    "+12065550149": {"en": "refuses texts", "ja": "メッセージを拒否します"},
}
"""What can be texted there, and what each does, by language."""

CALLER = "+12065550150"
_CALLERS = re.compile(r"\+120655501[0-9]{2}")


class Carrier(Protocol):
    async def there(self) -> bool:
        """Whether it runs."""

    async def call(self, from_number: str, to_number: str) -> str:
        """Call one of our numbers and speak once answered; how it went, when it was answered or given up."""


class Practice:
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._calls: dict[str, asyncio.Task[None]] = {}

    async def available(self) -> bool:
        return await self._carrier.there()

    async def call(self, user: User, from_number: str | None = None) -> str:
        """Have the user's own number called; gives who calls. Raises Refused where that cannot be."""
        caller = from_number or CALLER
        if not _CALLERS.fullmatch(caller):
            raise Refused("invalid", "Only a practice number can call, +12065550100 to +12065550199.", "from")
        if user.number is None:
            raise conflict("no_number", "You have no number that could be called. Ask an admin for one.")
        if user.id in self._calls:
            raise conflict("already_called", "A practice call rings already. Answer it, or wait until it gives up.")
        if not await self._carrier.there():
            raise conflict(
                "no_practice_carrier",
                "This engine runs without the practice carrier. Start it with “make up”, or call your number from "
                "another telephone.",
            )
        self._calls[user.id] = asyncio.ensure_future(self._run(user.id, caller, user.number))
        return caller

    async def _run(self, user_id: str, caller: str, number: str) -> None:
        try:
            log.info("practice.called", result=await self._carrier.call(caller, number))
        finally:
            self._calls.pop(user_id, None)
