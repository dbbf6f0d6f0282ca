"""Import of leads, contacts, companies and deals from CSV (A6).

A file is read as a stream, checked in batches and written in short transactions (:mod:`crm.services.import_pace`). An
import that was killed is simply repeated: what is there already is known again (see
:func:`crm.services.import_rows.key_of`) and left as it is. Lines that cannot be kept go to a report, a CSV of the same
columns with line number and reason in front, which can be mended and imported by itself.
"""

from __future__ import annotations

import asyncio
import gc
import io
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

from sqlalchemy import func, select

from crm import csv_files, fields, languages, people
from crm.csv_files import Form, Line
from crm.engine import is_sqlite
from crm.errors import Refused, printable
from crm.models.users import User
from crm.search.text import fold
from crm.services import call_lists, import_deals, list_entries
from crm.services.import_batch import Batches
from crm.services.import_mapping import FIELDS, columns, named, suggested
from crm.services.import_pace import Pace
from crm.services.import_rows import Prepared, prepare
from crm.unit_of_work import CLI, Actor, Store, UnitOfWork

__all__ = ["FIELDS", "Column", "Preview", "Result", "preview", "run"]

KINDS = (*people.KINDS, "deal")
BATCH = 500
_PROGRESS_EVERY_S = 0.2
_LARGE = 1_000_000  # bytes
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Column:
    """``field`` is None for a column that is not imported."""

    header: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    encoding: str
    delimiter: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    problems: tuple[str, ...]  # of the rows shown, each "" or a sentence
    named: bool  # whether a column is a name, without which nothing is imported

    @property
    def unmapped(self) -> tuple[str, ...]:
        return tuple(column.header for column in self.columns if column.field is None)


@dataclass(frozen=True, slots=True)
class Result:
    """``unchanged`` are lines that said nothing new; ``report`` the file with the refused ones, if there are any."""

    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    report: Path | None
    seconds: float


def preview(
    path: Path, *, mapping: Mapping[str, str] | None = None, kind: str = "lead", rows: int = 5, country: str = "US"
) -> Preview:
    """What an import would take from the first rows. Changes nothing. Raises Refused as :func:`run` does, except where
    no column is a name yet."""
    fields.one("kind", kind, fields.choice(*KINDS))
    form = csv_files.form(path)
    found = suggested(form.header, mapping, kind)
    with path.open(encoding=form.encoding, newline="") as file:
        first = list(islice(csv_files.lines(file, form.delimiter), rows))
    problems = [""] * len(first) if kind == "deal" else [p.problem for p in prepare(first, found, kind, country)]
    shown = tuple(Column(header, field) for header, field in zip(form.header, found, strict=True))
    cells = tuple(line.cells for line in first)
    return Preview(form.encoding, form.delimiter, shown, cells, tuple(problems), named(found))


async def run(
    store: Store,
    path: Path,
    *,
    kind: str = "lead",
    mapping: Mapping[str, str] | None = None,
    country: str = "US",
    owner_id: str | None = None,
    actor: Actor = CLI,
    report: Path | None = None,
    progress: Progress | None = None,
    list_id: str | None = None,
    language: str = languages.WRITTEN_IN,
) -> Result:
    """Import a file, and put what each line has become into a call list, where one is named. Raises Refused for a file
    that cannot be read at all; lines are refused into the report, in the language of who will read it."""
    fields.one("kind", kind, fields.choice(*KINDS))
    if list_id is not None:
        list_id = await _list_for(store, list_id, kind)
    started = time.monotonic()
    form = await asyncio.to_thread(csv_files.form, path)
    found = columns(form.header, mapping, kind)
    owners = await _owners(store, owner_id)
    refused = Report(report or path.with_name(path.name + ".refused.csv"), form, language)
    batches = Batches(kind, owner_id, owners)
    with _seldom_collected(), refused, path.open(encoding=form.encoding, newline="") as file, _workers(file) as workers:
        pace = Pace(one_writer=is_sqlite(store.url))
        task = _Task(store, actor, found, kind, country, batches, refused, workers, pace, list_id)
        lines = await _through(task, file, form, progress)
    tally = batches.tally
    unchanged = lines - tally.added - tally.changed - (refused.count - task.without_number)
    result = Result(
        lines, tally.added, tally.changed, unchanged, refused.count, refused.path, time.monotonic() - started
    )
    await _log(store, actor, kind, path, result)
    return result


@dataclass
class _Task:
    store: Store
    actor: Actor
    columns: Sequence[str | None]
    kind: str
    country: str
    batches: Batches
    refused: Report
    workers: Executor
    pace: Pace
    list_id: str | None = None
    without_number: int = 0

    async def prepared(self, lines: Sequence[Line]) -> list[Prepared]:
        """Checked elsewhere, while the batch before is being written."""
        if self.kind == "deal":
            return [Prepared(line, {}, problem=line.problem) for line in lines]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, prepare, lines, self.columns, self.kind, self.country)

    async def write(self, lines: Sequence[Prepared]) -> None:
        for line in lines:
            if line.problem:
                self.refused.add(line.line, line.problem)
        good = [line for line in lines if not line.problem]
        if self.kind == "deal":
            await self._write_deals(good)
            return
        while good:
            some, good = good[: self.pace.at_once], good[self.pace.at_once :]
            async with self.pace.writing(len(some)), self.store.write(self.actor) as work:
                became = await self.batches.write(work, some)
                if self.list_id is not None:
                    await self._list(work, self.list_id, some, became)

    async def _list(
        self, work: UnitOfWork, list_id: str, lines: Sequence[Prepared], became: Sequence[people.Record]
    ) -> None:
        """In the file's order. Who cannot be called is kept all the same, and named in the report."""
        await list_entries.append(work, list_id, list({record.id: record for record in became}.values()))
        for line, record in zip(lines, became, strict=True):
            if list_entries.number_of(record) is None:
                self.without_number += 1
                self.refused.add(line.line, list_entries.NO_NUMBER)

    async def _write_deals(self, lines: Sequence[Prepared]) -> None:
        for line in lines:
            try:
                async with self.pace.writing(1), self.store.write(self.actor) as work:
                    await import_deals.write(work, line.line, self.columns, self.batches.owners, self.batches.tally)
            except Refused as refused:
                if refused.code == "store_unavailable":
                    raise
                field = f" (column {refused.field})" if refused.field else ""
                self.refused.add(line.line, refused.message + field)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A batch makes tens of thousands of objects and keeps few: looking for rubbish all the time is a fifth of it."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _workers(file: io.TextIOWrapper) -> Executor:
    """A thread, or for a large file a process of its own: numbering plans are slow, and Python runs one thread at a
    time. Started afresh (spawn), as a fork would copy whatever the engine has open."""
    if os.fstat(file.fileno()).st_size < _LARGE:
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), gc.disable)


async def _through(task: _Task, file: io.TextIOWrapper, form: Form, progress: Progress | None) -> int:
    """All batches, the next one being checked while one is written; gives the number of lines."""
    source = csv_files.lines(file, form.delimiter)
    size = os.fstat(file.fileno()).st_size
    count, told = 0, 0.0
    lines = _batch(source)
    ready = await task.prepared(lines)
    while lines:
        following = _batch(source)
        preparing = asyncio.create_task(task.prepared(following))
        try:
            await task.write(ready)
        finally:
            ready = await preparing
        count += len(lines)
        lines = following
        if progress is not None and (not lines or time.monotonic() - told >= _PROGRESS_EVERY_S):
            progress(os.lseek(file.fileno(), 0, os.SEEK_CUR) if lines else size, size, count)
            told = time.monotonic()
    return count


def _batch(source: Iterator[Line]) -> list[Line]:
    return list(islice(source, BATCH))


async def _owners(store: Store, owner_id: str | None) -> dict[str, str]:
    async with store.read() as session:
        if owner_id is not None and await session.get(User, owner_id) is None:
            raise Refused("no_owner", "There is no user with this id. Choose an owner from the list.", "owner_id")
        rows = await session.execute(select(func.lower(User.email), User.name, User.id))
        found: dict[str, str] = {}
        for email, name, user_id in rows:
            found |= {fold(name): user_id, fold(email): user_id}
        return found


async def _list_for(store: Store, ref: str, kind: str) -> str:
    if kind == "deal":
        raise Refused("invalid", "A call list holds leads, contacts or companies. Import these.", "kind")
    async with store.read() as session:
        return (await call_lists.find(session, ref)).id


async def _log(store: Store, actor: Actor, kind: str, path: Path, result: Result) -> None:
    counts = {name: getattr(result, name) for name in ("lines", "added", "changed", "unchanged", "refused")}
    async with store.write(actor) as work:
        work.record(f"{kind}.import", printable(path.name), None, counts, touches_calls=False)


class Report:
    """The CSV of refused lines; the file is made with the first of them."""

    def __init__(self, path: Path, form: Form, language: str) -> None:
        self.count = 0
        self._path, self._language = path, language
        self._header = (*(languages.say(each, language) for each in ("line", "reason")), *form.header)
        self._file: io.TextIOWrapper | None = None

    @property
    def path(self) -> Path | None:
        return self._path if self.count else None

    def add(self, line: Line, reason: str) -> None:
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._file.write(csv_files.row(self._header))
        self._file.write(csv_files.row((str(line.number), languages.say(reason, self._language), *line.cells)))
        self.count += 1

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
