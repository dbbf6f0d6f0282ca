"""Where a host name leads to now."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

LOOK_UP_S = 2.0


async def addresses_of(host: str) -> Sequence[str]:
    """Its addresses; none for one that cannot be found within two seconds. An address leads to itself."""
    try:
        return [str(ipaddress.ip_address(host.strip("[]")))]
    except ValueError:
        pass
    try:
        found = await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo(host, None), LOOK_UP_S)
    except (OSError, TimeoutError, UnicodeError):
        return []
    return sorted({str(address[0]).partition("%")[0] for *_, address in found})
