"""The files that MixMonitor writes into, used again and again.

A new file costs Asterisk more than the sound that goes into it: measured on ext4 without a journal, where each new
file looks at every inode that was deleted in the last minutes, a fifth of Asterisk's time at 50 recorded calls a
second. So a file whose sound stands in its place is emptied and kept, and lent to a later recording under its name.
"""

from __future__ import annotations

import re
from pathlib import Path

import structlog

from pbx.services.recordings import our_side

log = structlog.get_logger("spool")

MOST_KEPT = 512
_CHANNEL = re.compile(r"(?:[a-z][a-z0-9-]*-)?[0-9.]{1,40}")


class Spool:
    """One directory on one disk: a file changes hands by its name alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept = directory / "empty"
        self._kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._free = sorted(self._kept.iterdir())
        self._number = max((int(path.name) for path in self._free if path.name.isdigit()), default=0)

    def path(self, recording: str) -> Path:
        return self._directory / f"{recording}.sln"

    def adopt(self, channel: str, recording: str) -> bool:
        """What the dialplan recorded of a call, under the name of its channel, becomes this recording; asked again, it
        is there already. False where nothing was recorded."""
        if not _CHANNEL.fullmatch(channel):
            return False
        for found, path in zip(self._sides(f"fallback_{channel}"), self._sides(recording), strict=True):
            if found.exists():
                found.rename(path)
        return any(path.exists() for path in self._sides(recording))

    def lend(self, recording: str) -> None:
        """Have files ready under this recording's names; where none are kept, Asterisk makes its own."""
        for path in self._sides(recording):
            if not self._free:
                return
            try:
                self._free.pop().rename(path)
            except OSError as error:
                log.warning("spool.not_lent", why=str(error))

    def release(self, recording: str) -> None:
        """The sound stands elsewhere, or shall be nowhere: nothing of it is left in the file."""
        for path in self._sides(recording):
            try:
                self._keep(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("spool.not_kept", why=str(error))
                path.unlink(missing_ok=True)

    def _keep(self, path: Path) -> None:
        if len(self._free) >= MOST_KEPT:
            path.unlink()
            return
        with path.open("r+b") as file:
            file.truncate()
        self._number += 1
        self._free.append(path.rename(self._kept / str(self._number)))

    def _sides(self, recording: str) -> tuple[Path, Path]:
        customer = self.path(recording)
        return customer, our_side(customer)
