"""The stage with two Asterisks: one engine drives the nodes a and b, each on an address of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from crm.services import trunks
from crm.unit_of_work import SYSTEM, Store
from pbx import bootstrap
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.node import NodeAsterisk
from pbx.adapters.asterisk.process import check_ports
from pbx.bootstrap.node import AsteriskNode
from pbx.config import Config
from tests.live.stage import RTP, Carrier, Stack, _organisation, _write_prompts
from tests.support.free_ports import free_port
from tests.support.waiting import until

EDGE = "127.0.0.9"
ADDRESSES = {"a": "127.0.0.2", "b": "127.0.0.3"}


@dataclass
class NodeStack(Stack):
    """``carrier`` calls in by node a, ``carrier_b`` by node b, both by the edge where there is one; calls go out to
    ``carrier``."""

    nodes: dict[str, NodeAsterisk] = field(default_factory=dict)
    carrier_b: Carrier | None = None

    def at(self, node: str) -> tuple[str, int]:
        """Where phones register with a node."""
        return ADDRESSES[node], self.config.sip_port

    @property
    def server(self) -> tuple[str, int]:
        return self.at("a")

    def node(self, name: str) -> AsteriskNode:
        return next(node for node in self.engine.nodes.all if node.name == name)

    async def channels(self, name: str) -> list[str]:
        return [str(channel["id"]) for channel in await self.node(name).ari.call("GET", "channels")]

    async def kill(self, name: str) -> None:
        """The node's machine is gone."""
        pid = self.nodes[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await self.nodes[name].wait()
        await until(lambda: not self.node(name).is_linked, 3, "the engine to miss it")

    async def start(self, name: str) -> None:
        await asyncio.sleep(1)  # an instant relaunch says “already running”
        await self.nodes[name].start()
        await until(lambda: self.node(name).is_linked, 10, "the engine to find it")

    async def left(self) -> str:
        engine = self.engine
        found = [f"call {call.id} {call.state}" for call in engine.calls]
        if engine.gate.held:
            found.append(f"{engine.gate.held} reservations at the gate")
        for node in engine.nodes.there:
            found += [f"channel {name} on {node.name}" for name in await self.channels(node.name)]
            found += [f"bridge {bridge['id']}" for bridge in await node.ari.call("GET", "bridges")]
        return ", ".join(found)


async def open_nodes(home: Path, prefix: Path, **overrides: str) -> NodeStack:
    _write_prompts(home / "prompts" / "en")
    config = Config.load(
        {},
        home=home,
        nodes=", ".join(f"{name}={address}" for name, address in ADDRESSES.items()),
        rtp_start=RTP[0],
        rtp_end=RTP[1] - 1,
        **{name: _free_on_all() for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port", "http_port")},
        **overrides,
    )
    ports = [free_port(), free_port()]
    trunk_id = await _organisation(config, ports[0])
    await _also_from(config, trunk_id, ports)
    nodes = {name: NodeAsterisk(config, name, prefix) for name in ADDRESSES}
    await asyncio.gather(*(node.start() for node in nodes.values()))
    engine = await bootstrap.open_engine(config)
    await engine.start()
    await until(lambda: len(engine.nodes.there) == len(nodes), 15, "both nodes to be linked")
    carriers = [
        await Carrier.open((config.edge or address, config.sip_port), port)
        for address, port in zip(ADDRESSES.values(), ports, strict=True)
    ]
    carriers[1].people = carriers[0].people
    return NodeStack(config, nodes["a"], engine, carriers[0], trunk_id, nodes, carriers[1])


async def close_nodes(stack: NodeStack) -> None:
    for carrier in (stack.carrier, stack.carrier_b):
        if carrier is not None:
            carrier.phone.vanish()
    try:
        await stack.engine.stop()
    finally:
        await asyncio.gather(*(node.stop() for node in stack.nodes.values()))


def _free_on_all() -> int:
    """A port that is free at each of the addresses, and at the edge's."""
    while True:
        port = free_port("127.0.0.2")
        if all(_is_free(host, port) for host in ("127.0.0.3", EDGE)):
            return port


def _is_free(host: str, port: int) -> bool:
    try:
        check_ports([(protocol, host, port, "") for protocol in ("udp", "tcp")])
    except BuildError:
        return False
    return True


async def _also_from(config: Config, trunk_id: str, ports: list[int]) -> None:
    store = Store(config.database_url)
    async with store.write(SYSTEM) as work:
        await trunks.change(work, trunk_id, {"match_addresses": [f"127.0.0.1:{port}" for port in ports]})
    await store.close()
