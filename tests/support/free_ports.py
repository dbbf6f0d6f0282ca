"""Free ports on loopback, for tests and measurements.

A port that was free a moment ago is not reserved: what it was asked for starts later. So no two askers of one run
are given the same while others are left, and who needs the ports after it too (a softphone takes the next for TLS, RTP
hundreds) says so. Runs side by side share nothing but the range, so each has a part of its own.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque

_TRIES = 500
_given: deque[range] = deque()  # in the order in which they were given


def own_part(first: int, last: int) -> tuple[int, int]:
    """Of a range, the part of this one of several pytest workers; alone: all of it."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    width = (last - first) // count // 2 * 2
    return first + number * width, first + (number + 1) * width


_FIRST, _LAST = own_part(20000, 32000)


def free_port(host: str = "127.0.0.1", width: int = 1) -> int:
    """An even port, free for UDP and TCP like the ``width - 1`` after it, outside the range of the kernel's own.

    Where a long run has been given nearly all, what was given longest ago and is free again is given anew.
    """
    while True:
        for _ in range(_TRIES):
            ports = _somewhere(width)
            if not _was_given(ports) and all(_free(host, port) for port in ports):
                _given.append(ports)
                return ports.start
        if not _given:
            raise OSError(f"No {width} free ports in a row were found between {_FIRST} and {_LAST}.")
        _given.popleft()


def _somewhere(width: int) -> range:
    first = random.randrange(_FIRST, _LAST - width, 2)
    return range(first, first + width)


def _was_given(ports: range) -> bool:
    return any(ports.start < given.stop and given.start < ports.stop for given in _given)


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
