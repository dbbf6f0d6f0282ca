"""How much room the disks have that calls are recorded on, and whether they take anything at all.

Both are looked at: a quota ends the room of this user long before the disk is full.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pbx.services.disk_guard import Room

PROBE_BYTES = 64 * 1024  # four seconds of one side of a call
_PROBE = ".room"


class Disks:
    """``places`` are directories, on one disk or several."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places

    def look(self) -> Room:
        """The one that is worst off. Blocks for as long as a small file takes to be written."""
        rooms = [Room(str(place), _free(place), _takes(place)) for place in self._places]
        return min(rooms, key=lambda room: (room.writable, room.free_bytes))


def _free(place: Path) -> int:
    """What a user other than root may still use."""
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def _takes(place: Path) -> bool:
    """Whether it takes a small file now. The data is brought to the disk: some tell of no room only then. The file is
    emptied and kept, as a new one each time costs Asterisk's own files time (see the spool)."""
    try:
        with (place / _PROBE).open("wb") as file:
            try:
                file.write(b"\0" * PROBE_BYTES)
                file.flush()
                os.fdatasync(file.fileno())
            finally:
                os.ftruncate(file.fileno(), 0)
    except OSError:
        return False
    return True
