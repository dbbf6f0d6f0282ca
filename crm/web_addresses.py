"""Web addresses that somebody typed in, for us to call: what can be said of them without a look-up (TRUST 22).

They may lead to public places only, and into networks that the operator names in the configuration.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")


class NotAllowed(Exception):
    """The address leads inside, or is none for us. The text is a sentence with the remedy."""


def check_url(url: str, nets: Sequence[Network] = ()) -> None:
    """Raises NotAllowed for what leads inside whoever is asked, in whichever way the address is written."""
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError as error:
        raise NotAllowed("This is no web address. Write it as https://example.com/path.") from error
    if parsed.scheme not in ("https", "http") or not host or not port:
        raise NotAllowed("A web address begins with https:// or http://.")
    if parsed.user or parsed.password:
        raise NotAllowed("A web address may hold no user name or password: give them as headers.")
    if (literal := _literal(host)) is not None and not is_allowed(literal, nets):
        raise NotAllowed(inside(host))


def read_nets(text: str) -> tuple[Network, ...]:
    """Raises ValueError for what is no list of networks."""
    return tuple(ipaddress.ip_network(net.strip(), strict=False) for net in text.split(",") if net.strip())


def is_allowed(address: Address, nets: Sequence[Network] = ()) -> bool:
    """Public, or named by the operator. An IPv6 address that carries one of IPv4 is judged by that one, too."""
    if any(address in net for net in nets):
        return True
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return is_allowed(inner, nets)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def inside(host: str) -> str:
    return (
        f"{host} leads into a private network and is not fetched. If it is meant to, name its network in the "
        "engine's configuration as outgoing_nets."
    )


def host_of(url: str) -> str:
    """Empty where it has none."""
    try:
        return URL(url).host or ""
    except ValueError:
        return ""


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or _compatible(address)


def _compatible(address: IPv6Address) -> IPv4Address | None:
    """``::1.2.3.4``, of long ago."""
    return IPv4Address(int(address)) if 1 < int(address) < 1 << 32 else None


def _literal(host: str) -> Address | None:
    """Also as only the system's own look-up reads it: 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1, and so is
    localhost."""
    plain = host.rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain)) if plain[:1].isdigit() else None
    except OSError:
        return None
