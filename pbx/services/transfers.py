"""An attended transfer: the phone of a user joins two calls of its own (RFC 3891 Replaces in a REFER).

The second call gives whom it was about to the first and is over; each keeps its own place in the log.
"""

from __future__ import annotations

from pbx.core.call import Call, Leg, State
from pbx.core.events import HandedOver, LegTaken, TransferAsked
from pbx.core.ids import LegId, call_of
from pbx.services.guests import Guests
from pbx.services.runtime import Calls


class Transfers:
    def __init__(self, calls: Calls, guests: Guests) -> None:
        self._calls = calls
        self._guests = guests

    def attended(self, leg: LegId, other: LegId) -> None:
        """Join the call of ``leg`` with the other one of the same phone, or tell the phone that it may not."""
        first, second = self._call(leg), self._call(other)
        if first is None:
            return
        consulted = self._consulted(first, leg, second, other)
        if second is None or consulted is None:
            self._calls.deliver(first.id, TransferAsked(leg, ""))  # refused in words, and in the log
            return
        by = first.legs[leg].user_id
        taken = LegTaken(
            leg=consulted.id,
            by_leg=leg,
            number=consulted.number,
            name=self._guests.name_of(consulted.user_id),
            user_id=consulted.user_id,
            device_id=consulted.device_id,
            trunk_id=consulted.trunk_id,
            unattended=self._guests.unattended,
        )
        self._calls.deliver(second.id, HandedOver(consulted.id, first.id, by))
        self._calls.deliver(first.id, taken)

    def _call(self, leg: LegId) -> Call | None:
        call = call_of(leg)
        return self._calls.get(call) if call else None

    def _consulted(self, first: Call, leg: LegId, second: Call | None, other: LegId) -> Leg | None:
        """Who would come over: only from a call of two to a call of two, both of the same user."""
        if second is None or second is first:
            return None
        if not _two_talk(first) or not _two_talk(second):
            return None
        mine, theirs = first.legs.get(leg), second.legs.get(other)
        if mine is None or theirs is None or not mine.joined or not theirs.joined:
            return None
        if not mine.user_id or mine.user_id != theirs.user_id:
            return None
        consulted = next(party for party in second.parties() if party.id != theirs.id)
        others = [party for party in first.parties() if party.id != mine.id]
        stays = any(party.user_id for party in [*others, consulted])
        return consulted if stays or self._guests.unattended else None


def _two_talk(call: Call) -> bool:
    alone = len(call.parties()) == 2 and call.invite is None and not call.away
    return call.state is State.TALKING and alone
