"""Free ports on loopback."""

from __future__ import annotations

import random
import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port free for UDP and TCP, away from the range from which the kernel hands out its own."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            try:
                udp.bind((host, port))
                tcp.bind((host, port))
            except OSError:
                continue
        return port
    raise OSError("No free port was found between 20000 and 32000.")
