"""Looked at before anything is started: room on the disk, a database that is there, and every port free."""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from pbx.config import Config, ConfigError
from pbx.supervisor.errors import CannotStart

ROOM = 200_000_000  # bytes: a database, logs, and an hour or two of recordings
Port = tuple[str, str, int, str]
"""Protocol, address, port, and the setting that chooses it."""


def check_room(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < ROOM:
        raise CannotStart(
            f"The disk that holds {home} has {free / 1e6:.0f} MB left and calls are recorded there: free 200 MB, or "
            "set SWITCHHOOK_HOME to a directory on another disk."
        )


def check_database(config: Config) -> None:
    """A SQLite file that is not there is an error, never made in passing."""
    _, found, path = config.database_url.partition(":///")
    if config.database_url.startswith("sqlite") and found and not Path(path).exists():
        raise ConfigError(
            f"There is no database in {config.home}: run “pbx migrate” to make one there, or set SWITCHHOOK_HOME "
            "(or --home) to where Switchhook keeps its state."
        )


def check_ports(ports: Iterable[Port]) -> None:
    """Each can be bound now. Raises CannotStart with port, setting and, where it can be known, who has it."""
    for protocol, address, port, setting in ports:
        error = _bind(protocol, address, port)
        if error is not None:
            raise CannotStart(_sentence(error, protocol, address, port, f"SWITCHHOOK_{setting.upper()}"))


def holder(protocol: str, port: int) -> str | None:
    """Name and id of the process that has this port; None where we may not know."""
    sockets = set(_inodes(protocol, port))
    for process in Path("/proc").glob("[0-9]*"):
        if sockets & set(_sockets(process)):
            try:
                return f"{(process / 'comm').read_text().strip()}, process {process.name}"
            except OSError:
                return f"process {process.name}"
    return None


def _bind(protocol: str, address: str, port: int) -> OSError | None:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error
    return None


def _sentence(error: OSError, protocol: str, address: str, port: int, name: str) -> str:
    if error.errno == errno.EADDRINUSE:
        who = holder(protocol, port)
        by = f"another program ({who})" if who else "another program"
        return f"Port {port}/{protocol} is taken by {by}: stop that, or set {name} to a free port."
    if error.errno == errno.EACCES:
        return f"Port {port}/{protocol} needs root: set {name} to a port above 1023."
    return f"{address}:{port}/{protocol} cannot be used ({error.strerror}): set {name} to what this machine has."


def _inodes(protocol: str, port: int) -> Iterator[str]:
    for name in (protocol, f"{protocol}6"):
        try:
            lines = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if int(columns[1].rpartition(":")[2], 16) == port and columns[9] != "0":
                yield f"socket:[{columns[9]}]"


def _sockets(process: Path) -> Iterator[str]:
    try:
        handles = list((process / "fd").iterdir())
    except OSError:
        return
    for handle in handles:
        try:
            yield str(handle.readlink())
        except OSError:
            continue
