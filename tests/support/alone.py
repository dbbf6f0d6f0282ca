"""Tests whose promise is kept by the clock, each run while no other test runs: the marker ``alone``.

Workers share the processors. What a test beside takes of them would be measured as the product's, and whether there is
one is chance; so whoever is marked waits until the tests under way have ended, and the next ones wait for it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parent
Leave = Callable[[], None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: what it measures by the clock is measured with no other test beside it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with turn(SUPPORT, SUPPORT.parent, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def turn(door: Path, room: Path, alone: bool) -> Iterator[None]:
    """Many in the room, or one. Everyone comes by the door, and who wants to be alone stands in it until the others
    have left: those who come and go would keep it waiting for ever. Both are folders that are there anyway."""
    with ExitStack() as stack:
        leave = stack.enter_context(_locked(door, alone))
        stack.enter_context(_locked(room, alone))
        if not alone:
            leave()
        yield


@contextmanager
def _locked(path: Path, alone: bool) -> Iterator[Leave]:
    """An advisory lock (flock(2)), which a worker that dies gives back. Given back by name, not only by closing: a
    process forked from this one has the same open file."""
    held = os.open(path, os.O_RDONLY)

    def leave() -> None:
        fcntl.flock(held, fcntl.LOCK_UN)

    try:
        fcntl.flock(held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield leave
    finally:
        leave()
        os.close(held)
