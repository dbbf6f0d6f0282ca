"""`pbx migrate`, `pbx backup`, `pbx restore`: the state in the home directory."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.progress import bar
from pbx.config import Config
from pbx.services.erasure_list import ErasureList
from pbx.supervisor.checks import check_database
from pbx.supervisor.health import ready

_ERASURES = "erasures.jsonl"
# The journal holds what the engine has decided and the database may not have yet.
_KEPT = (
    "secrets.json",
    "demo-secrets.json",
    "config.toml",
    "journal",
    "recordings",
    "greetings",
    "drops",
    "attachments",
    "prompts",
    "music",
    "tls",
    _ERASURES,
)
_DATABASE = "switchhook.db"


@click.command("migrate")
@json_option
@click.pass_obj
def migrate_command(app: App) -> None:
    """Make the database, or bring it up to this version. Safe to repeat."""
    from crm.migrations import migrate_now

    output.show(app, {"home": str(app.config.home), "schema": migrate_now(app.config.database_url)})


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@click.pass_obj
def backup_command(app: App, file: Path) -> None:
    """Copy database, recordings and secrets into FILE (a .tar.gz that only you may read). The engine may run."""
    check_database(app.config)
    source = _sqlite_file(app.config)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as archive:
            _fill(archive, app.config.home, source)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    output.show(app, {"file": str(file), "bytes": file.stat().st_size})


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--erasures",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The newest erasures.jsonl, where it is not in this home: what was destroyed since must not come back.",
)
@json_option
@click.pass_obj
def restore_command(app: App, file: Path, erasures: Path | None) -> None:
    """Put a backup back into a home that has no database yet. What was destroyed on request after it was made, as the
    list of erasures in this home says, is destroyed again when the engine starts."""
    home = app.config.home
    if ready(app.config) is not None:
        raise click.ClickException("An engine is running: stop it before restoring.")
    if (home / _DATABASE).exists():
        raise click.ClickException(f"{home} has a database already: restore into an empty home (--home).")
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(file, home, ErasureList(app.config.erasures))
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{file} is not a whole backup ({error}): use another one.") from error
    if erasures is not None:
        ErasureList(app.config.erasures).merge(erasures)
    output.show(app, {"home": str(home), "restored": str(file)})


def _unpack(file: Path, home: Path, erased: ErasureList) -> None:
    """Beside their places first, so that half a backup puts nothing there. A list of erasures that is here is newer."""
    with tempfile.TemporaryDirectory(dir=home) as folder, tarfile.open(file) as archive:
        archive.extractall(folder, list(_ours(archive)))
        for path in Path(folder).iterdir():
            if path.name == _ERASURES:
                erased.merge(path)
                continue
            path.replace(home / path.name)


def _ours(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """What :func:`backup_command` writes and nothing else: files below the home. Python 3.11.2 has no filter for it."""
    for entry in archive:
        path = PurePosixPath(entry.name)
        if not entry.isreg() or path.is_absolute() or ".." in path.parts:
            raise tarfile.TarError(f"{entry.name} does not belong into one")
        yield entry


def _sqlite_file(config: Config) -> Path:
    _, found, path = config.database_url.partition(":///")
    if not found or not config.database_url.startswith("sqlite"):
        raise click.ClickException(
            "The database is PostgreSQL: back it up with pg_dump, and copy the recordings in "
            f"{config.recordings} beside it."
        )
    return Path(path)


def _fill(archive: tarfile.TarFile, home: Path, database: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home) as folder, bar("Backup") as tell:
        copy = Path(folder) / _DATABASE
        tell(0.0, "Copying the database.")
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        archive.add(copy, _DATABASE, filter=_private)
        files = list(_files(home))
        for number, path in enumerate(files):
            tell(number / len(files), "Copying recordings.")
            archive.add(path, str(path.relative_to(home)), recursive=False, filter=_private)


def _private(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """What only its owner may read stays so, wherever it is unpacked."""
    entry.mode = 0o600
    return entry


def _files(home: Path) -> Iterator[Path]:
    for name in _KEPT:
        path = home / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (below for below in sorted(path.rglob("*")) if below.is_file() and not below.is_symlink())
