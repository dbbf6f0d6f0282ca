"""The Asterisks of an engine together: which are there, which are given up, and what is asked of all of them.

With one, what is asked of all is asked of it alone. A node that is away for :data:`GIVE_UP_S` is given up: nobody knows
whether its machine will ever be back, so its calls are closed as interrupted, and a trunk that registers does so from
another one. What still stands there when it is back after all belongs to no call any more, and is let go.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pbx.adapters.asterisk.dialling import Elsewhere
from pbx.adapters.asterisk.nodes import NodeFences, NodeRegistrations, NodeRemains, NodeSwitch, endpoint_of, node_of
from pbx.bootstrap.node import AsteriskNode
from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.ports_provision import Peer

GIVE_UP_S = 10.0


class Nodes:
    """``on_given_up`` hears of a node whose calls are to be closed, ``on_change`` of each that comes or goes."""

    def __init__(self, made: Sequence[AsteriskNode]) -> None:
        self.all = list(made)
        self.one = self.all[0]
        self.many = bool(self.one.name)  # or may become so
        self._by_name = {node.name: node for node in self.all}
        self.given_up: set[str] = set()
        self._giving_up: dict[str, asyncio.TimerHandle] = {}
        self.linked = asyncio.Event() if self.many else self.one.link.linked
        self.settled = asyncio.Event() if self.many else self.one.link.linked
        self.on_given_up: Callable[[AsteriskNode], None] = lambda node: None
        self.on_change: Callable[[AsteriskNode], None] = lambda node: None
        self._make_one_of_many()

    def _make_one_of_many(self) -> None:
        self.switch = NodeSwitch(self._each("switch"), self.is_linked, self._where)
        self.registrations = NodeRegistrations(self._each("registrations"), self.is_linked)
        self.fences = NodeFences(self._each("fence"), self.is_linked)
        self.remains = NodeRemains(self._each("remains"), self.is_linked)
        for node in self.all if self.many else ():
            node.switch.reach = self._reach_from(node.name)
            node.link.on_change = self._changed_on(node)

    def _each(self, part: str) -> dict[str, Any]:
        return {node.name: getattr(node, part) for node in self.all}

    def _where(self, dial: str) -> str:
        return self.registrations.where(dial)

    def _reach_from(self, name: str) -> Callable[[str], Elsewhere | None]:
        return lambda dial: self.registrations.reach(name, dial)

    # -- who is there -------------------------------------------------------------------------------

    def is_linked(self, name: str) -> bool:
        return self._by_name[name].is_linked

    @property
    def there(self) -> list[AsteriskNode]:
        return [node for node in self.all if node.is_linked]

    @property
    def registrar(self) -> AsteriskNode:
        """From where trunks register that do: the first that is not given up."""
        return next((node for node in self.all if node.name not in self.given_up), self.one)

    def of_channel(self, channel: str) -> AsteriskNode:
        return self._by_name.get(node_of(channel), self.one)

    def of_call(self, call: CallId) -> AsteriskNode:
        return self._by_name[self.switch.node(call)] if self.many else self.one

    def for_browser(self, device: str) -> AsteriskNode:
        """Where a browser's phone is to connect to: where it is already, else always the same of those that are
        there, so that the phones are spread over them."""
        known = self._by_name.get(self.registrations.at(device)) if self.many else self.one
        if known is not None:
            return known
        ready = [node for node in self.there if node.browsers_told.all] or self.all
        return max(ready, key=lambda node: hashlib.sha256(f"{node.name} {device}".encode()).digest())

    def peers(self, node: AsteriskNode) -> tuple[Peer, ...]:
        """The others, as a node has to know them."""
        others = (each for each in self.all if each is not node)
        return tuple(Peer(endpoint_of(each.name), each.config.ari_host, each.config.sip_port) for each in others)

    def begin(self) -> None:
        """The engine starts: those that do not come in time are away."""
        for node in self.all if self.many else ():
            self._count_down(node)

    def _changed_on(self, node: AsteriskNode) -> Callable[[], None]:
        def changed() -> None:
            if node.is_linked:
                self.given_up.discard(node.name)
                self._stop_counting(node)
            else:
                self._count_down(node)
            self._look()
            self.on_change(node)

        return changed

    def _look(self) -> None:
        """What the events say that others wait for."""
        (self.linked.set if self.there else self.linked.clear)()
        waited_for = [node for node in self.all if not node.is_linked and node.name not in self.given_up]
        (self.settled.clear if waited_for or not self.there else self.settled.set)()

    def _count_down(self, node: AsteriskNode) -> None:
        self._stop_counting(node)
        self._giving_up[node.name] = asyncio.get_running_loop().call_later(GIVE_UP_S, self._give_up, node)

    def _stop_counting(self, node: AsteriskNode) -> None:
        timer = self._giving_up.pop(node.name, None)
        if timer is not None:
            timer.cancel()

    def _give_up(self, node: AsteriskNode) -> None:
        self.given_up.add(node.name)
        self.on_given_up(node)
        self._look()
        self.on_change(node)

    # -- what is asked of all -----------------------------------------------------------------------

    def overloaded(self, node: AsteriskNode | None = None) -> bool:
        """Whether this node can take no other call; without one, whether none that is there can."""
        return all([each.admission.overloaded() for each in self._asked(node)])

    def turns_away(self, node: AsteriskNode | None) -> bool:
        """The same of a call that comes by SIP: a node that refuses by itself has let it in already."""
        return all([each.admission.turns_away() for each in self._asked(node)])

    def _asked(self, node: AsteriskNode | None) -> list[AsteriskNode]:
        return [node] if node is not None else self.there or [self.one]

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """Each node counts the calls that come to it."""
        self.of_call(call).admission.happened(call, facts)

    def count(self, node: AsteriskNode) -> int:
        """The calls that live there."""
        return self.switch.calls[node.name]

    def view(self) -> list[dict[str, object]]:
        """What an operator wants to know of each."""
        return [
            {
                "name": node.name,
                "address": node.config.ari_host,
                "linked": node.is_linked,
                "calls": self.count(node),
                "version": node.link.version if node.is_linked else "",
                "lag_ms": round(node.ari.lag_s * 1000, 1),
                "overloaded": node.admission.overloaded() or node.admission.shedding,
                "intruders_heard": node.security.connected,
            }
            for node in self.all
        ]

    def voicemail(self, name: str) -> Path:
        """Where a message lies, or would."""
        places = [node.voicemails / f"{name}.wav" for node in self.all]
        return next((place for place in places if place.exists()), places[0]) if self.many else places[0]

    async def recorded(self, recording: str) -> None:
        """Return when all that was asked about a recording has been done."""
        for node in self.all:
            await node.monitor.settled(recording)

    def stop(self) -> None:
        """That links end from now on means nothing."""
        for node in self.all:
            node.link.on_change = lambda: None
            self._stop_counting(node)
