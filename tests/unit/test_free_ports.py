"""The tests' own ports: none is given twice while others are left, and a long run does not run out of them."""

from __future__ import annotations

import socket
from collections import deque
from itertools import pairwise

import pytest

from tests.support import free_ports


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_ports, "_given", deque())


def test_no_port_is_given_twice_while_others_are_left() -> None:
    given = [
        port for _ in range(20) for first in [free_ports.free_port(width=100)] for port in range(first, first + 100)
    ]
    assert len(set(given)) == len(given) == 2000


def test_a_long_run_is_given_again_what_was_given_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_ports, "_free", lambda host, port: True)
    firsts = [free_ports.free_port(width=1000) for _ in range(40)]
    for earlier, later in pairwise(firsts):
        assert abs(earlier - later) >= 1000, "the last one given may be in use by now"


def test_a_port_that_somebody_has_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(free_ports, "_FIRST", port - port % 2)
        monkeypatch.setattr(free_ports, "_LAST", port - port % 2 + 3)
        with pytest.raises(OSError, match="No 2 free ports in a row"):
            free_ports.free_port(width=2)
