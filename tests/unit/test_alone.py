"""Who measures by the clock is by itself, and is let in however many come and go."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.alone import turn


class Rooms:
    def __init__(self, folder: Path) -> None:
        self.door, self.room = folder / "door", folder / "room"
        self.door.mkdir()
        self.room.mkdir()
        self.inside: set[str] = set()
        self.together: list[set[str]] = []
        self.order: list[str] = []

    def visit(self, name: str, stays: threading.Event, alone: bool = False) -> threading.Thread:
        thread = threading.Thread(target=self._visit, args=(name, stays, alone), daemon=True)
        thread.start()
        return thread

    def _visit(self, name: str, stays: threading.Event, alone: bool) -> None:
        with turn(self.door, self.room, alone):
            self.inside.add(name)
            self.order.append(name)
            self.together.append(set(self.inside))
            stays.wait(10)
            self.inside.discard(name)

    def until_inside(self, *names: str) -> None:
        for _ in range(1000):
            if self.inside == set(names):
                return
            time.sleep(0.005)
        raise AssertionError(f"{names} are not inside, but {self.inside}")


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return Rooms(tmp_path)


def test_others_share_and_one_is_alone(rooms: Rooms) -> None:
    first, second, third, measures = (threading.Event() for _ in range(4))
    threads = [rooms.visit("first", first), rooms.visit("second", second)]
    rooms.until_inside("first", "second")
    threads.append(rooms.visit("measures", measures, alone=True))
    time.sleep(0.1)
    threads.append(rooms.visit("third", third))  # comes after, and may not slip in before
    first.set()
    rooms.until_inside("second")
    second.set()
    rooms.until_inside("measures")
    time.sleep(0.1)
    assert rooms.inside == {"measures"}
    measures.set()
    rooms.until_inside("third")
    third.set()
    for each in threads:
        each.join(5)
    assert rooms.order[2:] == ["measures", "third"]
    assert {"measures"} in rooms.together and not any(len(each) > 1 and "measures" in each for each in rooms.together)


def test_whoever_fails_leaves(rooms: Rooms) -> None:
    with pytest.raises(ZeroDivisionError), turn(rooms.door, rooms.room, alone=True):
        raise ZeroDivisionError
    with ExitStack() as stack:
        stack.enter_context(turn(rooms.door, rooms.room, alone=False))
        stack.enter_context(turn(rooms.door, rooms.room, alone=False))
