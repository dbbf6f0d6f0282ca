"""A throw-away PostgreSQL for the tests: a cluster in a temporary directory on a free loopback port.

The server refuses to run as root, so there it runs as the system's ``postgres`` user (or ``nobody``). fsync is off:
what is tested is SQL, not the disk. Where PostgreSQL is not installed, :func:`start` says so and its tests are skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.free_ports import free_port

START_DEADLINE_S = 30


class NoPostgres(Exception):
    """PostgreSQL's programs are not on this machine; the text says what to install."""


@dataclass(frozen=True)
class Cluster:
    directory: Path
    programs: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+asyncpg://switchhook@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """A fresh, empty database; gives its URL. Names are ours, never input."""
        self.run("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self.run("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def halt(self) -> None:
        """As a crash: connections break, nothing is tidied up."""
        _run(self.programs / "pg_ctl", "-D", self.directory / "data", "-m", "immediate", "-w", "stop")

    def rest(self) -> None:
        """Stop in order; the data stay for another :func:`start`."""
        _run(self.programs / "pg_ctl", "-D", self.directory / "data", "-m", "fast", "-w", "stop")

    def resume(self) -> None:
        """Start again with the options of before."""
        _run(self.programs / "pg_ctl", "-D", self.directory / "data", "-l", self.directory / "log", "-w", "restart")

    def stop(self) -> None:
        """End for good, halted or not, and remove everything."""
        if (self.directory / "data" / "postmaster.pid").exists():
            self.halt()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, database: str, statement: str) -> None:
        """Run one statement, past every connection that a test holds."""
        _run(
            self.programs / "psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "switchhook",
            "-d", database, "-v", "ON_ERROR_STOP=1", "-c", statement,
        )  # fmt: skip


def start(directory: Path | None = None, options: str = "") -> Cluster:
    """Make and start a cluster, or start the one that stands in ``directory``. Raises NoPostgres; whoever started it
    stops it, one that is to stay with :meth:`Cluster.rest`."""
    programs = _programs()
    directory = directory or Path(tempfile.mkdtemp(prefix="switchhook-pg-"))
    directory.mkdir(parents=True, exist_ok=True)
    owner = _ordinary_user()
    if owner is not None:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    data, port = directory / "data", free_port()
    if not data.exists():
        locale = ("-E", "UTF8", "--locale=C.UTF-8")
        _run(programs / "initdb", "-D", data, "-U", "switchhook", "-A", "trust", *locale, "-N")
    settings = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off "
        f"-c full_page_writes=off -c max_connections=100 {options}"
    )
    log = directory / "log"
    _run(programs / "pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "-t", str(START_DEADLINE_S), "start")
    return Cluster(directory, programs, port)


def _programs() -> Path:
    """The newest installed version's directory, as Debian lays them out, else what is on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    if not found:
        raise NoPostgres("PostgreSQL is not installed: install the package postgresql to run these tests.")
    return Path(found).parent


def _ordinary_user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None where the tests themselves run as an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("There is no ordinary user that PostgreSQL could run as: add the user postgres.")


def _run(program: Path, *arguments: object) -> None:
    owner = _ordinary_user()
    identity: dict[str, Any] = (
        {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    )
    result = subprocess.run(
        [str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        timeout=START_DEADLINE_S * 2,
        check=False,
        **identity,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{program.name} failed: {result.stderr.strip()}")
