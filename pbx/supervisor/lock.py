"""One supervisor per home: a lock that falls with its process, so a killed one blocks nobody."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pbx.supervisor.errors import CannotStart


@contextmanager
def only_one(home: Path, address: str) -> Iterator[None]:
    """Hold the home's lock. Raises CannotStart naming who has it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise CannotStart(_taken(home, file.read())) from error
        file.truncate(0)
        file.write(f"{os.getpid()} {address}")
        file.flush()
        yield
        file.truncate(0)


def _taken(home: Path, text: str) -> str:
    pid, _, address = text.partition(" ")
    who = f" (process {pid}, {address})" if pid.isdigit() else ""
    return (
        f"Switchhook runs already in {home}{who}: stop it there with Ctrl-C, or give this one another SWITCHHOOK_HOME."
    )
