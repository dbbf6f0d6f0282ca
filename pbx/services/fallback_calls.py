"""Calls that the dialplan took while the engine was away come into the log afterwards, marked as such (P3, TRUST 2).

A call's id is made from Asterisk's own name for its channel, so that reading the same line twice gives the same row.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from crm import ids, phone_numbers
from crm.directory import Directory
from crm.errors import Refused
from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant, leg_id
from pbx.services.runtime import Calls

log = structlog.get_logger("fallback")

LOOK_EVERY_S = 2.0
SECOND_US = 1_000_000


class FallbackCall(Protocol):
    """What the dialplan wrote down. Times in seconds since the epoch; ``ended_at_s`` is None while it runs."""

    @property
    def channel(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def called(self) -> str: ...
    @property
    def caller(self) -> str: ...
    @property
    def began_at_s(self) -> int: ...
    @property
    def answered_at_s(self) -> int | None: ...
    @property
    def answered_by(self) -> str: ...
    @property
    def ended_at_s(self) -> int | None: ...
    @property
    def result(self) -> str: ...
    @property
    def cause(self) -> int | None: ...


class FallbackCalls:
    """``read`` gives every call that the dialplan has written down, oldest first."""

    def __init__(
        self,
        store: Store,
        calls: Calls,
        directory: Callable[[], Directory],
        read: Callable[[], Sequence[FallbackCall]],
    ) -> None:
        self._store = store
        self._calls = calls
        self._directory = directory
        self._read = read
        self._done: set[str] = set()
        self._handed_over = False

    def handed_over(self) -> None:
        """A call was left to the dialplan while we are here."""
        self._handed_over = True

    async def run(self, linked: asyncio.Event) -> None:
        """After each link to the switch, and after each call that was left to the dialplan: until all that it did
        without us has ended and stands in the log."""
        while True:
            await linked.wait()
            self._handed_over = False
            while await self._look():  # noqa: ASYNC110 - what is waited for is written by another process
                await asyncio.sleep(LOOK_EVERY_S)
            while linked.is_set() and not self._handed_over:  # noqa: ASYNC110 - cleared, an event wakes nobody
                await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> bool:
        """Take what has ended into the log; tells whether some of it still goes on."""
        running = False
        for call in await asyncio.to_thread(self._read):
            if call.channel in self._done:
                continue
            if call.ended_at_s is None:
                running = True
                continue
            try:
                await self._take(call)
            except Refused as error:
                log.warning("fallback.store_away", why=error.message)
                return True
            self._done.add(call.channel)
        return running

    async def _take(self, call: FallbackCall) -> None:
        call_id = fallback_id(call)
        async with self._store.read() as session:
            known = await call_log.row(session, call_id)
        if known is None:
            log.info("fallback.logged", call=call_id, channel=call.channel)
            self._calls.history(call_id, history(call_id, call, self._directory()))


def fallback_id(call: FallbackCall) -> CallId:
    """A ULID of the call's second and its channel's name."""
    time = ids.ulid(call.began_at_s * SECOND_US)[:10]
    digest = int.from_bytes(hashlib.sha256(call.channel.encode()).digest()[:10])
    return CallId("c_" + time + "".join(ids.CROCKFORD[digest >> shift & 31] for shift in range(75, -1, -5)))


def history(call_id: CallId, call: FallbackCall, directory: Directory) -> list[Fact]:
    """The facts that the engine would have written, as far as the dialplan knows them."""
    began, ended = _at(call.began_at_s), _at(call.ended_at_s or call.began_at_s)
    inbound = call.direction == "in"
    device = None if inbound else directory.devices.get(call.endpoint)
    called = phone_numbers.try_parse(call.called, str(directory.settings["default_country"]))
    number = called.e164 if called else call.called
    user = directory.user_of(number) if inbound else directory.users.get(device.user_id) if device else None
    did = number if inbound else (user.number if user else "")
    customer, ours = leg_id(call_id, 1), leg_id(call_id, 2)
    trunk = call.endpoint if inbound else ""
    facts = [
        Fact(
            "call.created",
            began,
            {
                "direction": "inbound" if inbound else "outbound",
                "source": "fallback",
                "did": did,
                "customer": call.caller if inbound else number,
                "user_id": user.id if user else "",
                "device_id": "" if inbound else call.endpoint,
                "trunk_id": trunk,
                "via": "fallback",
            },
        ),
        Fact("leg.created", began, {"leg": customer, "role": "customer", "number": call.caller, "trunk_id": trunk}),
    ]
    if call.answered_at_s is not None:
        answered = _at(call.answered_at_s)
        user_id = user.id if user else ""
        facts += [
            Fact(
                "leg.created", began, {"leg": ours, "role": "user", "device_id": call.answered_by, "user_id": user_id}
            ),
            Fact("leg.answered", answered, {"leg": customer}),
            Fact("leg.answered", answered, {"leg": ours}),
            Fact("call.answered", answered, {"leg": ours}),
        ]
    legs = [customer, ours] if call.answered_at_s is not None else [customer]
    result = "answered" if call.answered_at_s is not None else "cancelled"
    facts += [Fact("leg.ended", ended, {"leg": leg, "result": result, "cause": call.cause}) for leg in legs]
    return [*facts, _ending(call, ended)]


def _ending(call: FallbackCall, ended: Instant) -> Fact:
    disposition = _DISPOSITIONS.get(call.result, "missed" if call.direction == "in" else "failed")
    unknown = not call.result and call.answered_at_s is None
    if call.answered_at_s is not None:
        disposition = "answered"
    elif unknown:
        disposition = "refused"
    reason = "unknown_number" if unknown else "engine_away"
    return Fact("call.ended", ended, {"disposition": disposition, "cause": call.cause, "reason": reason})


_DISPOSITIONS = {"NOANSWER": "no_answer", "BUSY": "busy", "CHANUNAVAIL": "unreachable", "CONGESTION": "unreachable"}


def _at(seconds: int) -> Instant:
    return Instant(seconds * SECOND_US)
