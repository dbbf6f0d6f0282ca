"""Free ports on loopback, for tests and measurements.

A port that was free a moment ago is not reserved: what it was asked for starts later. So no two askers of one run
are given the same, and who needs the ports after it too (a softphone takes the next for TLS, RTP hundreds) says so.
"""

from __future__ import annotations

import random
import socket

_FIRST, _LAST = 20000, 32000
_given: set[int] = set()


def free_port(host: str = "127.0.0.1", width: int = 1) -> int:
    """An even port, free for UDP and TCP like the ``width - 1`` after it, outside the range of the kernel's own."""
    for _ in range(500):
        first = random.randrange(_FIRST, _LAST - width, 2)
        ports = range(first, first + width)
        if _given.isdisjoint(ports) and all(_free(host, port) for port in ports):
            _given.update(ports)
            return first
    raise OSError(f"No {width} free ports in a row were found between {_FIRST} and {_LAST}.")


def _free(host: str, port: int) -> bool:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        try:
            udp.bind((host, port))
            tcp.bind((host, port))
        except OSError:
            return False
    return True
