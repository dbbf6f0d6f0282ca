"""Two nodes behind an edge, as the configuration names them: our Asterisks, Kamailio, phones and a carrier. There is no
engine: the dialplan rings phones by itself, from the files that the engine writes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pbx.adapters import kamailio
from pbx.adapters.asterisk.edge import edge_of
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.adapters.asterisk.layout import write_changed
from pbx.adapters.asterisk.provision import render
from pbx.config import Config
from pbx.services.ports_provision import Device, FallbackCaller, FallbackGate, FallbackNumber, Provisioning, Trunk
from tests.live.stage import RTP
from tests.support.free_ports import free_port
from tests.support.sip_phone import SipPhone
from tests.support.waiting import until

NODES = {"a": "127.0.0.2", "b": "127.0.0.3"}
EDGE = "127.0.0.9"
CARRIER = "127.0.0.21"
SECRET = "an-edge-of-our-own"


@dataclass(frozen=True, slots=True)
class Person:
    device: str
    did: str
    tone: float


TONES = (540, 660, 740, 940, 1020)
PEOPLE = tuple(Person(f"d{chr(97 + n) * 9}", f"+1415555090{n}", tone) for n, tone in enumerate(TONES))
"""Which node each belongs to says the edge; of five, three are of the same. Only an engine could ring across nodes."""


@dataclass
class EdgeStage:
    config: Config
    nodes: dict[str, EngineAsterisk]
    edge: subprocess.Popen[bytes]
    phones: list[SipPhone] = field(default_factory=list)

    @property
    def server(self) -> tuple[str, int]:
        return EDGE, self.config.sip_port

    async def phone(self, who: Person, transport: str = "udp", **how: object) -> SipPhone:
        port = self.config.sip_tls_port if transport == "tls" else self.config.sip_port
        phone = await SipPhone.start(
            who.device,
            (EDGE, port),
            SECRET,
            who.tone,
            transport=transport,
            **how,  # type: ignore[arg-type]
        )
        self.phones.append(phone)
        return phone

    async def neighbours(self, **how: object) -> tuple[str, list[Person], list[SipPhone]]:
        """A node, and two people whose phones are registered there; of all others the phones are away again."""
        at: dict[str, list[tuple[Person, SipPhone]]] = {name: [] for name in self.nodes}
        for who in PEOPLE:
            phone = await self.phone(who, **how)  # type: ignore[arg-type]
            [node] = await self.registered_at(who)
            at[node].append((who, phone))
        node, found = max(at.items(), key=lambda item: len(item[1]))
        return node, [who for who, _ in found[:2]], [phone for _, phone in found[:2]]

    async def carrier(self, host: str = CARRIER) -> SipPhone:
        carrier = await SipPhone.start("carrier", self.server, None, 820, host=host)
        self.phones.append(carrier)
        return carrier

    async def registered_at(self, who: Person) -> dict[str, str]:
        """The contact of this phone, by the node that has it."""
        found = {}
        for name, node in self.nodes.items():
            if node.running:
                lines = (await node.cli(f"pjsip show aor {who.device}")).splitlines()
                contacts = [line.split()[1] for line in lines if line.strip().startswith("Contact:") and "sip:" in line]
                found |= {name: contacts[0]} if contacts else {}
        return found

    def takes_connections(self) -> bool:
        """They are what it opens last."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            return one.connect_ex((EDGE, self.config.sip_tls_port)) == 0

    def said(self) -> str:
        return (self.config.home / "edge" / "log").read_text()

    async def until_nodes(self, *names: str, within: float = 10) -> None:
        """The edge has found out that these are there, and no others."""
        wanted = {NODES[name] for name in names}

        def there() -> set[str]:
            last: dict[str, bool] = {address: True for address in NODES.values()}
            for line in self.said().splitlines():
                for address in last:
                    if f"sip:{address}:" in line and ("node away" in line or "node there" in line):
                        last[address] = "node there" in line
            return {address for address, up in last.items() if up}

        await until(lambda: there() == wanted, within, f"the edge to know of {names} alone:\n{self.said()[-1000:]}")


@contextlib.asynccontextmanager
async def edge_stage(home: Path, prefix: Path) -> AsyncIterator[EdgeStage]:
    ports = {name: free_port(EDGE, width=2) for name in ("sip_port", "ari_port", "ami_port")}
    ports["sip_tls_port"] = free_port(EDGE)
    config = Config.load(
        {},
        home=home,
        nodes=", ".join(f"{name}={at}" for name, at in NODES.items()),
        edge=EDGE,
        rtp_start=RTP[0],
        rtp_end=RTP[1] - 1,
        **ports,
    )
    nodes = {}
    for name, each in config.asterisks.items():  # on machines of their own the manager's ports would be the same
        nodes[name] = EngineAsterisk(replace(each, ami_port=each.ami_port + (name == "b")), prefix)
    for node in nodes.values():
        node.render()
        for name, text in render(provisioning(), edge_of(config), {}).items():
            write_changed(node.layout.etc / name, text)
    await asyncio.gather(*(node.start() for node in nodes.values()))
    edge = start_edge(config)
    stage = EdgeStage(config, nodes, edge)
    try:
        await until(stage.takes_connections, 10, "the edge to listen", every=0.05)
        yield stage
    finally:
        for phone in stage.phones:
            phone.vanish()
        await asyncio.to_thread(stop_edge, edge)
        await asyncio.gather(*(node.stop() for node in nodes.values()))


def start_edge(config: Config) -> subprocess.Popen[bytes]:
    file = kamailio.write_edge(config, config.home / "edge")
    with (config.home / "edge" / "log").open("wb") as log:
        return subprocess.Popen(
            kamailio.command(file), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )


def stop_edge(edge: subprocess.Popen[bytes]) -> None:
    """With all its processes; one that was told while it started may not hear it."""
    edge.terminate()
    try:
        edge.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(edge.pid, signal.SIGKILL)
        edge.wait(5)


def provisioning() -> Provisioning:
    devices = [Device(who.device, ha1=_ha1(who.device), did=who.did, caller_name="") for who in PEOPLE]
    callers = tuple(FallbackCaller(who.device, who.did, "1", "011", "1") for who in PEOPLE)
    return Provisioning(
        devices,
        [Trunk("tr_carrier", "address", CARRIER, match_addresses=(CARRIER,))],
        [FallbackNumber(who.did, (who.did[1:],), (who.device,)) for who in PEOPLE],
        gate=FallbackGate(callers),
    )


def _ha1(device: str) -> str:
    return hashlib.md5(f"{device}:switchhook:{SECRET}".encode()).hexdigest()
