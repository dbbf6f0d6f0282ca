"""What was destroyed on request, beside the database: a backup that is restored must not bring it back (N5).

The list holds ids alone, which say nothing to who does not have the database, and is only ever added to. Who restores
an older database keeps the newest list beside it: what stands in the list and not in the database is done again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

PERSON, RECORDING = "person", "recording"


@dataclass(frozen=True, slots=True)
class Erased:
    """``id`` is the erasure's or the recording's, ``of`` the person's record or the call."""

    kind: str
    id: str
    of: str
    at_us: int


class ErasureList:
    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, lines: Iterable[Erased]) -> None:
        """On the disk when this returns: what follows cannot be taken back."""
        content = b"".join(orjson.dumps(asdict(line)) + b"\n" for line in lines)
        if not content:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "ab") as out:
            out.write(b"\n" + content)  # a line before that was not written to its end must not take this one with it
            out.flush()
            os.fsync(out.fileno())

    def read(self) -> list[Erased]:
        """Each once, in its order. A line that was not written to its end says nothing: what it was about had not
        begun."""
        found: dict[str, Erased] = {}
        for line in self._path.read_bytes().splitlines() if self._path.exists() else ():
            try:
                each = Erased(**orjson.loads(line))
            except (orjson.JSONDecodeError, TypeError):
                continue
            found.setdefault(each.id, each)
        return list(found.values())

    def merge(self, other: Path) -> None:
        """Take in what another list has and this one has not."""
        known = {each.id for each in self.read()}
        self.add(each for each in ErasureList(other).read() if each.id not in known)
