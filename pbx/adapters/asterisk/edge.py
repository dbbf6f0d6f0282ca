"""What a node believes of the edge, the SIP load balancer before it, and from whom it takes SIP at all.

Everything comes from the edge's own address then, so a carrier is known by a header in which the edge tells whom the
request came from. The header has a key in it, and the edge takes away what others send under its name: nobody else can
write it. SIP from elsewhere than the edge, a node or a carrier is not heard.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pbx.config import Config
from pbx.services.ports_provision import ProvisionError, Trunk

SOURCE_HEADER = "X-Switchhook-Source"
"""``ADDRESS PORT KEY`` of whoever sent the request to the edge; ``edge KEY`` where the edge itself asks."""

_MACHINE = ("127.0.0.1", "::1")
"""Phones of browsers speak through the engine."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Addresses = Mapping[str, Sequence[str]]
"""Where the names of hosts lead to."""


@dataclass(frozen=True, slots=True)
class Edge:
    """``addresses`` are the edge's, ``nodes`` those of the machines behind it, all of them IP literals."""

    addresses: tuple[str, ...]
    nodes: tuple[str, ...]
    key: str


def edge_of(config: Config) -> Edge | None:
    """None where phones and carriers speak to Asterisk itself."""
    if not config.edge:
        return None
    return Edge(config.edges, tuple(node.sip_host for node in config.asterisks.values()), config.secrets().edge)


def machines_of(config: Config) -> tuple[str, ...]:
    """Addresses of edges and nodes: what others do wrong comes from these, and they must never be blocked for it."""
    nodes = [node.sip_host for node in config.asterisks.values()] if config.nodes else []
    return (*config.edges, *nodes)


def sources(trunk: Trunk) -> list[str]:
    """What a trunk's calls come from: addresses, networks, address:port or names. A trunk by address is known by its
    own host too, unless it says which addresses."""
    return list(trunk.match_addresses) or ([trunk.host] if trunk.mode == "address" else [])


def names(trunks: Sequence[Trunk]) -> set[str]:
    """The hosts that must be looked up before anything is rendered."""
    found = {_parted(each)[0] for trunk in trunks for each in (trunk.host, *sources(trunk))}
    return {host for host in found if _network(host) is None}


def render_edge(edge: Edge, trunks: Sequence[Trunk], addresses: Addresses) -> str:
    """Who is heard, the edge's own questions, and each trunk by the header. Raises ProvisionError."""
    lines = ["[edge-only]", "type = acl", "deny = 0.0.0.0/0.0.0.0", "deny = ::/0"]
    lines += [f"permit = {each}" for each in _heard(edge, trunks, addresses)]
    # It asks whether we are there (OPTIONS) and must not be challenged for it; there is nothing that it could call.
    lines += ["[edge]", "type = endpoint", "context = no-calls", "message_context = no-texts", "allow = !all,ulaw"]
    lines += ["[edge]", "type = identify", "endpoint = edge", f"match_header = {SOURCE_HEADER}: edge {edge.key}"]
    for trunk in trunks:
        patterns = [each for source in sources(trunk) for each in _patterns(source, addresses)]
        if patterns:
            header = f"{SOURCE_HEADER}: /^({'|'.join(patterns)}) {edge.key}$/"
            lines += [f"[{trunk.id}-by-edge]", "type = identify", f"endpoint = {trunk.id}", f"match_header = {header}"]
    return "\n".join(lines) + "\n"


def spelled(address: str) -> str:
    """As Kamailio writes an address: the groups of IPv6 all there, without zeros before them."""
    found = ipaddress.ip_address(address)
    if found.version == 4:
        return str(found)
    return ":".join(f"{int(group, 16):x}" for group in found.exploded.split(":"))


def _heard(edge: Edge, trunks: Sequence[Trunk], addresses: Addresses) -> list[str]:
    found = dict.fromkeys([*_MACHINE, *edge.addresses, *edge.nodes])
    for each in [each for trunk in trunks for each in (trunk.host, *sources(trunk))]:
        host = _parted(each)[0]
        found |= dict.fromkeys([host] if _network(host) is not None else addresses.get(host, ()))
    return [str(ipaddress.ip_network(each, strict=False)) for each in found]


def _patterns(source: str, addresses: Addresses) -> list[str]:
    """Regular expressions of address and port as they stand in the header."""
    host, port = _parted(source)
    network = _network(host)
    found = [network] if network is not None else [_network(each) for each in addresses.get(host, ())]
    return [f"{_pattern(each)} {port or '[0-9]+'}" for each in found if each is not None]


def _pattern(network: Network) -> str:
    """Addresses of a network, one part after the other, the part in which its mask ends as a choice."""
    if network.version == 4:
        parts, width, some, dot = list(network.network_address.packed), 8, "[0-9]+", "[.]"
        written = [str(part) for part in parts]
    else:
        text = spelled(str(network.network_address)).split(":")
        parts, width, some, dot = [int(part, 16) for part in text], 16, "[0-9a-f]+", ":"
        written = text
    whole, bits = divmod(network.prefixlen, width)
    if bits and network.version == 6:
        raise ProvisionError(f"{network} cannot be told apart behind an edge: give a prefix that is a multiple of 16.")
    shown = written[:whole]
    if bits:
        shown.append(f"({'|'.join(str(n) for n in range(parts[whole], parts[whole] + (1 << (width - bits))))})")
    return dot.join([*shown, *[some] * (len(parts) - len(shown))])


def _parted(source: str) -> tuple[str, str]:
    """Host and port; no port where there is none."""
    if source.startswith("["):
        host, _, port = source[1:].partition("]")
        return host, port.removeprefix(":")
    if source.count(":") == 1:
        host, _, port = source.partition(":")
        return host, port
    return source, ""


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
