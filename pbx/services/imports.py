"""CSV files that are imported through the console and the API (A6).

A file is spooled, looked at as often as somebody changes what its columns are, and then imported by a process of its
own: what takes minutes of reckoning must not take milliseconds of a call. What becomes of it stands beside the file,
so that an engine that comes back can say that an import was interrupted; started again it changes nothing twice.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from crm import csv_files, ids, languages
from crm.errors import Refused, not_found, printable
from crm.services import importing, rate_import
from crm.services.import_mapping import columns
from crm.unit_of_work import Actor

LARGEST = 100_000_000
KEPT_S = 7 * 24 * 3600
PREFIX = "imp"
NUMBERS = "do_not_call"
"""The kind of an import that becomes a do-not-call list."""
RATES = "rates"
_ID = re.compile(f"{PREFIX}_[{ids.CROCKFORD}]{{26}}")


@dataclass(frozen=True, slots=True)
class Import:
    """``done`` of ``size`` bytes are read; ``problem`` says why it failed, or was interrupted."""

    id: str
    name: str
    state: str
    kind: str
    size: int
    done: int
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    problem: str
    user_id: str | None
    created_us: int
    started_us: int | None
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """What the process is told. ``actor`` is kind, id, name and role of whom the changes are by."""

    path: str
    report: str
    kind: str
    mapping: Mapping[str, str]
    country: str
    owner_id: str | None
    actor: tuple[str, str, str, str]
    list_id: str | None = None
    """A call list that gets what the lines become; or, of do-not-call numbers, the list's name."""
    source: str = ""
    table: Mapping[str, Any] | None = None
    """Of rates: what :func:`crm.services.rate_import.run` is told of the table."""
    language: str = languages.WRITTEN_IN
    """Of the report of refused lines."""


Tell = Callable[[int, int], None]
Check = Callable[[int], None]


class Worker(Protocol):
    async def run(self, job: Job, tell: Tell) -> dict[str, int]:
        """Import it all, telling bytes and lines. Raises Refused; an end that it did not come to is a code of
        ``import_ended``."""


class Imports:
    """One at a time is imported: two would only wait for each other's writes."""

    def __init__(self, directory: Path, worker: Worker, clock: Callable[[], int] = ids.now_us) -> None:
        self._directory, self._worker, self._clock = directory, worker, clock
        self._running: dict[str, Import] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def keep(
        self, name: str, user_id: str, chunks: AsyncIterator[bytes], check: Check = lambda size: None
    ) -> Import:
        """Take a file in. Raises Refused where it is too large, or no CSV that can be read; ``check`` raises it for so
        many bytes as have come."""
        made = ids.new(PREFIX, self._clock())
        path = self._file(made)
        await asyncio.to_thread(self._tidy)
        try:
            size = await _spool(path, chunks, check)
            await asyncio.to_thread(importing.preview, path, rows=0)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        kept = Import(
            made, printable(name, 200), "uploaded", "", size, 0, 0, 0, 0, 0, 0, "", user_id, self._clock(), None, None
        )
        await asyncio.to_thread(self._write, kept)
        return kept

    async def uploaded(self, user_id: str, since_us: int) -> int:
        """Bytes of the files that this user has uploaded since then and that are here."""
        return await asyncio.to_thread(self._uploaded, user_id, since_us)

    def _uploaded(self, user_id: str, since_us: int) -> int:
        states = self._directory.glob(f"{PREFIX}_*.json")
        kept = [Import(**orjson.loads(path.read_bytes())) for path in states]
        return sum(each.size for each in kept if each.user_id == user_id and each.created_us >= since_us)

    async def preview(
        self, import_id: str, kind: str, mapping: Mapping[str, str] | None, country: str
    ) -> importing.Preview:
        self.show(import_id)
        path = self._file(import_id)
        return await asyncio.to_thread(importing.preview, path, kind=kind, mapping=mapping, country=country)

    def show(self, import_id: str) -> Import:
        running = self._running.get(import_id)
        if running is not None:
            return running
        try:
            found = Import(**orjson.loads(self._state(import_id).read_bytes()))
        except OSError as error:
            raise not_found("import", import_id) from error
        if found.state == "running":  # by an engine that is gone
            return replace(found, state="interrupted")
        return found

    async def start(
        self,
        import_id: str,
        actor: Actor,
        *,
        kind: str,
        mapping: Mapping[str, str],
        country: str,
        owner_id: str | None,
        list_id: str | None = None,
        language: str = languages.WRITTEN_IN,
    ) -> Import:
        """Raises Refused (409) while another one runs, and for a mapping that cannot be. ``list_id`` is a call list
        that gets what the lines become; the report of refused lines is in this language."""
        self._check_startable(import_id)
        found = await self.preview(import_id, kind, mapping, country)
        columns([column.header for column in found.columns], mapping, kind)
        job = replace(self._job(import_id, actor, kind, mapping), country=country, language=language)
        return await self._launch(import_id, replace(job, owner_id=owner_id, list_id=list_id))

    async def start_numbers(self, import_id: str, actor: Actor, *, name: str, source: str, country: str) -> Import:
        """A do-not-call list of this name: a number in each line."""
        self._check_startable(import_id)
        job = self._job(import_id, actor, NUMBERS, {})
        return await self._launch(import_id, replace(job, country=country, list_id=name, source=source))

    async def start_rates(
        self,
        import_id: str,
        actor: Actor,
        table: Mapping[str, Any],
        mapping: Mapping[str, str],
        language: str = languages.WRITTEN_IN,
    ) -> Import:
        """The same for a table of rates, whose own fields have been checked."""
        self._check_startable(import_id)
        form = await asyncio.to_thread(csv_files.form, self._file(import_id))
        rate_import.columns(form.header, mapping)
        job = self._job(import_id, actor, RATES, mapping)
        return await self._launch(import_id, replace(job, table=table, language=language))

    def _check_startable(self, import_id: str) -> None:
        if self._running:
            raise Refused("import_running", "Another file is being imported. Wait until it is done.", status=409)
        if self.show(import_id).state == "done":
            raise Refused("import_done", "This file has been imported. Upload it again to repeat it.", status=409)

    def _job(self, import_id: str, actor: Actor, kind: str, mapping: Mapping[str, str]) -> Job:
        who = (actor.kind, actor.id, actor.name, actor.role)
        return Job(str(self._file(import_id)), str(self.report(import_id)), kind, mapping, "", None, who)

    async def _launch(self, import_id: str, job: Job) -> Import:
        before = self.show(import_id)
        begun = replace(before, state="running", kind=job.kind, done=0, lines=0, problem="", started_us=self._clock())
        self._running[import_id] = begun
        await asyncio.to_thread(self._write, begun)
        self._tasks[import_id] = asyncio.create_task(self._run(import_id, job))
        return begun

    async def remove(self, import_id: str) -> None:
        """Take the file away; one that runs is ended first. What it has brought in so far stays."""
        self.show(import_id)
        task = self._tasks.get(import_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        for path in (self._file(import_id), self._state(import_id), self.report(import_id)):
            path.unlink(missing_ok=True)

    def report(self, import_id: str) -> Path:
        return self._directory / f"{import_id}.refused.csv"

    async def stop(self) -> None:
        """The engine ends: what runs is interrupted."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, import_id: str, job: Job) -> None:
        def tell(done: int, lines: int) -> None:
            self._running[import_id] = replace(self._running[import_id], done=done, lines=lines)

        try:
            counts: dict[str, Any] = await self._worker.run(job, tell)
            size = self._running[import_id].size
            end = replace(self._running[import_id], state="done", done=size, **counts)
        except Refused as refused:
            end = replace(self._running[import_id], state="failed", problem=refused.message)
        except asyncio.CancelledError:
            end = replace(self._running[import_id], state="interrupted")
        finally:
            del self._tasks[import_id]
            running = self._running.pop(import_id)
        self._write(replace(end, created_us=running.created_us, ended_us=self._clock()))

    def _file(self, import_id: str) -> Path:
        return self._directory / f"{import_id}.csv"

    def _state(self, import_id: str) -> Path:
        """Ids come from addresses: only what one of ours looks like is looked for."""
        if not _ID.fullmatch(import_id):
            raise not_found("import", import_id)
        return self._directory / f"{import_id}.json"

    def _write(self, kept: Import) -> None:
        path = self._state(kept.id)
        partial = path.with_suffix(".part")
        partial.write_bytes(orjson.dumps(asdict(kept)))
        partial.replace(path)

    def _tidy(self) -> None:
        """Customers' data does not lie about: files go after a week."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        oldest = time.time() - KEPT_S
        for path in self._directory.glob(f"{PREFIX}_*"):
            if path.stat().st_mtime < oldest and path.name.partition(".")[0] not in self._running:
                path.unlink(missing_ok=True)


async def _spool(path: Path, chunks: AsyncIterator[bytes], check: Check) -> int:
    size = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > LARGEST:
                raise Refused("too_large", "This file is larger than 100 MB. Split it.", "file", status=413)
            check(size)
            await asyncio.to_thread(file.write, chunk)
    return size
