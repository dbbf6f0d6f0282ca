"""Several Asterisks as if they were one: each call lives on one of them, with all its legs.

A channel that came to us is named by its Asterisk after its node (``systemname``), so its name tells where it is. A
phone that is registered on another node than the call's is rung there through the trunk between them
(dialplans/from-node.conf).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from pbx.adapters.asterisk.dialling import Elsewhere
from pbx.adapters.asterisk.fence import AclFence
from pbx.adapters.asterisk.presence import Registrations, is_behind_edge
from pbx.adapters.asterisk.remains import Remains
from pbx.adapters.asterisk.switch import AriSwitch
from pbx.core.commands import Command
from pbx.core.events import Phone
from pbx.core.ids import CallId, LegId, call_of

Linked = Callable[[str], bool]
"""Whether a node is there now."""


def node_of(channel: str) -> str:
    """The node that a channel came to; empty where there are none."""
    return channel.rpartition("-")[0]


def endpoint_of(node: str) -> str:
    """What a node's Asterisk is called in the others."""
    return f"node-{node}"


class NodeSwitch:
    """Carries each command out on the call's node."""

    def __init__(self, switches: Mapping[str, AriSwitch], linked: Linked, where: Callable[[str], str]) -> None:
        """``where`` gives the node on which a phone is registered, empty for none."""
        self._switches = switches
        self._linked = linked
        self._where = where
        self._node_of: dict[CallId, str] = {}
        self.calls: Counter[str] = Counter()

    # -- where a call lives -------------------------------------------------------------------------

    def place(self, call: CallId, channel: str, dial: str) -> str:
        """Where its first channel is, else where the first phone that it rings is, else where the fewest calls are."""
        node = node_of(channel) or self._where(dial)
        if node not in self._switches or not (channel or self._linked(node)):
            node = min(filter(self._linked, self._switches), key=lambda name: self.calls[name], default=self._first)
        self.again(call, node)
        return node

    def again(self, call: CallId, node: str) -> None:
        """A call of an earlier engine. Of a node that is no more, it is over; another one says so."""
        node = node if node in self._switches else self._first
        self._node_of[call] = node
        self.calls[node] += 1

    def away(self, call: CallId) -> bool:
        return not self._of(call).ready

    def node(self, call: CallId) -> str:
        return self._node_of.get(call, self._first)

    @property
    def _first(self) -> str:
        return next(iter(self._switches))

    def _of(self, call: CallId | None) -> AriSwitch:
        return self._switches[self._node_of.get(call, self._first) if call is not None else self._first]

    # -- as one switch ------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        return any(map(self._linked, self._switches))

    def adopt(self, call: CallId, leg: str, channel: str) -> None:
        self._of(call).adopt(call, leg, channel)

    def channel_of(self, leg: LegId) -> str:
        return self._of(call_of(leg)).channel_of(leg)

    async def packets_from(self, leg: LegId) -> int | None:
        return await self._of(call_of(leg)).packets_from(leg)

    def prepare(self, call: CallId, command: Command) -> None:
        self._of(call).prepare(call, command)

    def carry_out(self, call: CallId, command: Command) -> None:
        self._of(call).carry_out(call, command)

    def flush(self) -> None:
        for switch in self._switches.values():
            switch.flush()

    def forget(self, call: CallId) -> None:
        self._of(call).forget(call)
        node = self._node_of.pop(call, None)
        if node is not None:
            self.calls[node] -= 1


class NodeRegistrations:
    """The bindings on the nodes that are there. One that two nodes know is rung once."""

    def __init__(self, of: Mapping[str, Registrations], linked: Linked) -> None:
        self._of = of
        self._linked = linked

    @property
    def _there(self) -> list[Registrations]:
        return [known for name, known in self._of.items() if self._linked(name)]

    def phones(self, device_ids: Sequence[str]) -> tuple[Phone, ...]:
        there = self._there
        return tuple(dict.fromkeys(phone for device in device_ids for each in there for phone in each.phones([device])))

    def registered(self) -> dict[str, int]:
        devices = dict.fromkeys(device for each in self._there for device in each.registered())
        return {device: len(self.phones([device])) for device in devices}

    def reachable(self, name: str) -> bool:
        return any(each.reachable(name) for each in self._there)

    def addresses(self, prefix: str) -> set[tuple[str, str]]:
        return {found for each in self._there for found in each.addresses(prefix)}

    def forget(self, device_ids: Iterable[str]) -> None:
        devices = list(device_ids)
        for each in self._of.values():
            each.forget(devices)

    def at(self, device: str) -> str:
        """The node on which a device is registered, empty for none."""
        return next((name for name, known in self._of.items() if self._linked(name) and known.reachable(device)), "")

    def where(self, dial: str) -> str:
        """The same of one binding, by what is dialled for it."""
        return next((name for name, known in self._of.items() if self._linked(name) and known.has(dial)), "")

    def reach(self, node: str, dial: str) -> Elsewhere | None:
        """How this binding is rung from a node; None where it is to be dialled as it is: it is registered there, or by
        the edge, which every node may ask for it."""
        if self._of[node].has(dial) or is_behind_edge(dial):
            return None
        other = self.where(dial)
        if not other:
            return None
        _, device, binding = dial.split("/", 2)
        return Elsewhere(f"PJSIP/{device}@{endpoint_of(other)}", binding)


class NodeFences:
    """Whoever is kept out is kept out of every node; one that is away is told when it is back."""

    def __init__(self, fences: Mapping[str, AclFence], linked: Linked) -> None:
        self._fences = fences
        self._linked = linked

    @property
    def _there(self) -> list[AclFence]:
        return [fence for name, fence in self._fences.items() if self._linked(name)]

    def at_once(self, address: str) -> None:
        for fence in self._there:
            fence.at_once(address)

    async def keep_out(self, addresses: Iterable[str]) -> None:
        """Raises ConnectionError where one of them does not take it."""
        wanted = list(addresses)
        await asyncio.gather(*(fence.keep_out(wanted) for fence in self._there))


class NodeRemains:
    """What the nodes that are there still hold of the calls of an engine that died."""

    def __init__(self, remains: Mapping[str, Remains], linked: Linked) -> None:
        self._remains = remains
        self._linked = linked
        self._found_in: dict[str, Remains] = {}

    @property
    def _there(self) -> list[Remains]:
        return [each for name, each in self._remains.items() if self._linked(name)]

    async def standing(self) -> Mapping[CallId, Sequence[str]]:
        """Raises AriError."""
        found: dict[CallId, Sequence[str]] = {}
        for each in self._there:
            standing = await each.standing()
            found.update(standing)
            self._found_in.update({channel: each for channels in standing.values() for channel in channels})
        return found

    async def strays(self) -> Mapping[str, bool]:
        """Raises AriError."""
        found: dict[str, bool] = {}
        for each in self._there:
            strays = await each.strays()
            found.update(strays)
            self._found_in.update(dict.fromkeys(strays, each))
        return found

    def hang_up(self, channel: str) -> None:
        self._found_in[channel].hang_up(channel)

    def begin_again(self, channel: str) -> None:
        self._found_in[channel].begin_again(channel)

    def close(self, call: CallId) -> None:
        for each in self._there:
            each.close(call)
