"""Parts of texts that came in, on the disk until all of them are there.

A part is acknowledged one by one, so it must survive us; and SMSCs that send one at a time would wait for ever for
the acknowledgement of the first.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from pbx.adapters.sms.smpp_words import Part

KEPT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Gathered:
    """``octets`` of each part in order, None for one that has not come."""

    key: str
    sender: str
    receiver: str
    coding: int
    octets: tuple[bytes | None, ...]

    @property
    def whole(self) -> bool:
        return None not in self.octets


class Parts:
    """All methods touch the disk: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, part: Part, sender: str, receiver: str, coding: int) -> Gathered:
        """Write it down; what there is of its text now."""
        key = hashlib.sha256(f"{sender}|{receiver}|{part.reference}|{part.total}|{coding}".encode()).hexdigest()[:40]
        folder = self._folder / key
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        row = {
            "sender": sender,
            "receiver": receiver,
            "coding": coding,
            "total": part.total,
            "octets": part.octets.hex(),
        }
        _write(folder / f"{part.number}.json", json.dumps(row).encode())
        return self._gather(folder)

    def drop(self, key: str) -> None:
        """The text stands elsewhere."""
        for path in (self._folder / key).glob("*.json"):
            path.unlink()
        (self._folder / key).rmdir()

    def stale(self, now_s: float | None = None) -> list[Gathered]:
        """Texts whose missing parts will not come any more."""
        before = (time.time() if now_s is None else now_s) - KEPT_S
        folders = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        return [self._gather(folder) for folder in folders if folder.stat().st_mtime < before and any(folder.iterdir())]

    def _gather(self, folder: Path) -> Gathered:
        rows = {int(path.stem): json.loads(path.read_bytes()) for path in folder.glob("*.json")}
        first = next(iter(rows.values()))
        octets = [bytes.fromhex(rows[at]["octets"]) if at in rows else None for at in range(1, first["total"] + 1)]
        return Gathered(folder.name, first["sender"], first["receiver"], first["coding"], tuple(octets))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
