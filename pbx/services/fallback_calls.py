"""Calls that the dialplan took while the engine was away come into the log afterwards, marked as such (P3, TRUST 2).

A call's id is made from Asterisk's own name for its channel, so that reading the same line twice gives the same row.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from crm import ids, phone_numbers
from crm.directory import Directory
from crm.errors import Refused
from crm.repositories import calls as call_log
from crm.unit_of_work import Store
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant, leg_id, recording_id
from pbx.services.runtime import Calls

log = structlog.get_logger("fallback")

LOOK_EVERY_S = 2.0
REST_S = 0.005
"""After each: a rush leaves thousands, and calls that come now are not to wait for them."""
SECOND_US = 1_000_000
SHED = "SHED"  # a call that was one too many


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
    """``read`` gives the calls of which the dialplan has written something down since it was asked before, and those
    that still go on, oldest first."""

    def __init__(
        self,
        store: Store,
        calls: Calls,
        directory: Callable[[], Directory],
        read: Callable[[], Sequence[FallbackCall]],
        adopt: Callable[[str, str], bool] = lambda channel, recording: False,
        switch_began_s: Callable[[str], float] = lambda channel: 0.0,
        settled: Callable[[], bool] = lambda: True,
    ) -> None:
        """``adopt`` makes the sound that was recorded under the name of a channel that of a recording, if there is
        any. ``switch_began_s`` is when the switch of a channel was started, as it runs now: of an earlier one nothing
        goes on. ``settled`` tells whether all that came before we were there can be told from what has come to us."""
        self._store = store
        self._calls = calls
        self._directory = directory
        self._read = read
        self._adopt = adopt
        self._switch_began_s = switch_began_s
        self._settled = settled
        self._done: set[str] = set()
        self._to_take: dict[str, FallbackCall] = {}
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
        running = not self._settled()
        calls = await asyncio.to_thread(self._read)
        self._done &= {call.channel for call in calls}  # of what is read no more, nothing need be known
        for call in calls:
            if call.channel not in self._done:
                self._to_take[call.channel] = call
        for call in list(self._to_take.values()):
            if call.ended_at_s is None and call.began_at_s >= int(self._switch_began_s(call.channel)):
                running = True
                continue
            try:
                await self._take(call)
            except Refused as error:
                log.warning("fallback.store_away", why=error.message)
                return True
            self._done.add(call.channel)
            del self._to_take[call.channel]
            await asyncio.sleep(REST_S)
        return running

    async def _take(self, call: FallbackCall) -> None:
        call_id = fallback_id(call)
        async with self._store.read() as session:
            known = await call_log.row(session, call_id)
        if known is None:
            recorded = call.answered_at_s is not None and self._adopt(call.channel, recording_id(call_id, 1))
            log.info("fallback.logged", call=call_id, channel=call.channel, recorded=recorded)
            self._calls.history(call_id, history(call_id, call, self._directory(), recorded=recorded))


def fallback_id(call: FallbackCall) -> CallId:
    """A ULID of the call's second and its channel's name."""
    time = ids.ulid(call.began_at_s * SECOND_US)[:10]
    digest = int.from_bytes(hashlib.sha256(call.channel.encode()).digest()[:10])
    return CallId("c_" + time + "".join(ids.CROCKFORD[digest >> shift & 31] for shift in range(75, -1, -5)))


def history(call_id: CallId, call: FallbackCall, directory: Directory, *, recorded: bool = False) -> list[Fact]:
    """The facts that the engine would have written, as far as the dialplan knows them."""
    who = _who(call, directory)
    customer, ours = leg_id(call_id, 1), leg_id(call_id, 2)
    began, ended = _at(call.began_at_s), _at(call.ended_at_s or call.answered_at_s or call.began_at_s)
    leg: dict[str, object] = {"leg": customer, "role": "customer", "number": who.customer, "trunk_id": who.trunk_id}
    facts = [Fact("call.created", began, who.created()), Fact("leg.created", began, leg)]
    if call.answered_at_s is not None:
        answered = _at(call.answered_at_s)
        host: dict[str, object] = {"leg": ours, "role": "user", "device_id": who.device_id, "user_id": who.user_id}
        facts += [
            Fact("leg.created", began, host),
            Fact("leg.answered", answered, {"leg": customer}),
            Fact("leg.answered", answered, {"leg": ours}),
            Fact("call.answered", answered, {"leg": ours}),
        ]
        if recorded:
            recording: dict[str, object] = {"recording": recording_id(call_id, 1), "leg": customer}
            facts += [Fact("recording.started", answered, recording), Fact("recording.stopped", ended, recording)]
    legs = [customer, ours] if call.answered_at_s is not None else [customer]
    result = "answered" if call.answered_at_s is not None else "cancelled"
    facts += [Fact("leg.ended", ended, {"leg": leg, "result": result, "cause": call.cause}) for leg in legs]
    return [*facts, _ending(call, ended)]


@dataclass(frozen=True, slots=True)
class _Who:
    """Who was in a call, as its row shows them; ``device_id`` is the phone of ours that talked."""

    direction: str
    did: str
    customer: str
    user_id: str
    device_id: str
    trunk_id: str
    from_user: str = ""

    def created(self) -> dict[str, object]:
        return {
            "direction": self.direction,
            "source": "fallback",
            "did": self.did,
            "customer": self.customer,
            "user_id": self.user_id,
            "from_user": self.from_user,
            "device_id": self.device_id if self.direction == "outbound" else "",
            "trunk_id": self.trunk_id,
            "via": "fallback",
        }


def _who(call: FallbackCall, directory: Directory) -> _Who:
    """What was dialled is read as it was meant: in the country of who dialled."""
    device = None if call.direction == "in" else directory.devices.get(call.endpoint)
    caller = directory.users.get(device.user_id) if device else None
    country = caller.country if caller else str(directory.settings["default_country"])
    called = phone_numbers.try_parse(call.called, country)
    number = called.e164 if called else call.called
    owner = directory.user_of(number)
    did = (caller.number or "") if caller else ""
    if call.direction == "in":
        return _Who("inbound", number, call.caller, owner.id if owner else "", call.answered_by, call.endpoint)
    if owner is not None and caller is not None and owner.id != caller.id:
        return _Who("internal", number, did, owner.id, call.answered_by, "", caller.id)
    return _Who("outbound", did, number, caller.id if caller else "", call.endpoint, call.answered_by)


def _ending(call: FallbackCall, ended: Instant) -> Fact:
    if call.ended_at_s is None:  # with the switch, and nobody knows when
        return Fact("call.ended", ended, {"disposition": "interrupted", "cause": 41, "reason": "switch_restarted"})
    if call.result == SHED:
        return Fact("call.ended", ended, {"disposition": "refused", "cause": call.cause, "reason": "overloaded"})
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
