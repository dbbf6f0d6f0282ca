"""Which trunks a number may go out by, in order, and how each of them wants it written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from crm import phone_numbers
from crm.directory import Directory
from crm.records import Trunk
from pbx.core.commands import Fact
from pbx.core.events import Route
from pbx.core.gate import Destination
from pbx.core.ids import CallId, Instant

SECOND_US = 1_000_000


def as_dialled(trunk: Trunk, destination: Destination) -> str:
    """The number in the trunk's own format. Short and emergency numbers are sent as they are."""
    number = destination.e164
    if destination.emergency or not number.startswith("+"):
        return number
    match trunk.number_format:
        case "e164_no_plus":
            written = number[1:]
        case "national":
            written = phone_numbers.national_digits(number)
        case "international_00":
            written = "00" + number[1:]
        case _:
            written = number
    return trunk.prefix + written


def dial_string(trunk: Trunk, number: str) -> str:
    """With the address in it, Asterisk dials whether or not its last OPTIONS was answered (chan_pjsip)."""
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    port = "" if trunk.port == 5060 else f":{trunk.port}"
    transport = "" if trunk.transport == "udp" else f";transport={trunk.transport}"
    return f"PJSIP/{trunk.id}/sip:{number}@{host}{port}{transport}"


class Routing:
    """An observer of the calls: counts what each trunk carries, so that no trunk is given more than its caps."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        now: Callable[[], Instant],
        trusted: Callable[[str], bool] = lambda trunk_id: True,
    ) -> None:
        self._directory = directory
        self._now = now
        self._trusted = trusted
        self._carried: dict[str, int] = {}
        self._starts: dict[str, deque[Instant]] = {}
        self._trunk_of: dict[str, str] = {}

    def routes(self, destination: Destination) -> tuple[Route, ...]:
        """Trunks in order of priority, those that can be trusted first: a carrier that ignores OPTIONS, say, can still
        carry calls, so it is tried last rather than never. An emergency call may use a trunk over its caps."""
        usable = [
            trunk
            for trunk in self._directory().trunks
            if trunk.enabled and (destination.emergency or self._has_room(trunk))
        ]
        usable.sort(key=lambda trunk: not self._trusted(trunk.id))
        return tuple(Route(trunk.id, dial_string(trunk, as_dialled(trunk, destination))) for trunk in usable)

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            if fact.kind == "leg.created" and fact.data.get("trunk_id"):
                self._began(str(fact.data["leg"]), str(fact.data["trunk_id"]), fact.at)
            elif fact.kind == "leg.ended":
                self._ended(str(fact.data["leg"]))

    def _began(self, leg: str, trunk_id: str, at: Instant) -> None:
        self._trunk_of[leg] = trunk_id
        self._carried[trunk_id] = self._carried.get(trunk_id, 0) + 1
        self._starts.setdefault(trunk_id, deque(maxlen=1000)).append(at)

    def _ended(self, leg: str) -> None:
        trunk_id = self._trunk_of.pop(leg, None)
        if trunk_id is not None:
            self._carried[trunk_id] -= 1

    def _has_room(self, trunk: Trunk) -> bool:
        if trunk.max_channels is not None and self._carried.get(trunk.id, 0) >= trunk.max_channels:
            return False
        if trunk.calls_per_second is None:
            return True
        since = self._now() - SECOND_US
        starts = self._starts.get(trunk.id, ())
        return sum(1 for at in starts if at > since) < trunk.calls_per_second
