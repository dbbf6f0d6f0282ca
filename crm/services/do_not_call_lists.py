"""Do-not-call lists from outside, of millions of numbers: imported from a file, checked by the gate in memory (L4).

A file has a number in each line, in whichever column of a CSV first holds one; a line of area code and number, as
registers of North America give them, is one number. A list of the same name is replaced as a whole, when the new one
stands: until then the old one holds.
"""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import csv_files, fields, ids, number_sets
from crm.call_lists import NumbersList
from crm.errors import Refused, not_found
from crm.models.call_lists import DoNotCallBlock, DoNotCallList
from crm.number_sets import PackedNumbers
from crm.phone_numbers import as_e164
from crm.records import as_dict
from crm.unit_of_work import Actor, Store, UnitOfWork

BLOCKS_AT_ONCE = 64
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NORTH_AMERICA = re.compile(r"1?([2-9][0-9]{2})[-,; .]?([2-9][0-9]{2}-?[0-9]{4})")
_TOO_MANY_BAD = 10_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Result:
    """``report`` is the file with the lines that hold no number, the first ten thousand, if there are any."""

    list: NumbersList
    lines: int
    refused: int
    report: Path | None


async def import_file(
    store: Store,
    path: Path,
    *,
    name: str,
    source: str = "",
    country: str = "US",
    actor: Actor,
    report: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """``progress`` is told bytes and lines. Raises Refused for a file without any number."""
    name = fields.one("name", name, fields.text(100))
    source = fields.one("source", source, fields.text(100, empty=True))
    read = _Reader(path, country, report or path.with_name(path.name + ".refused.csv"), progress)
    numbers = await asyncio.to_thread(read.numbers)
    if not numbers:
        raise Refused("no_numbers", "There is no telephone number in this file. Choose another one.", "file")
    return Result(await _keep(store, actor, name, source, numbers), read.lines, read.refused, read.report)


async def list_all(session: AsyncSession) -> list[NumbersList]:
    rows = await session.scalars(select(DoNotCallList).where(DoNotCallList.numbers > 0).order_by(DoNotCallList.name))
    return [_shown(row) for row in rows]


async def remove(work: UnitOfWork, ref: str) -> NumbersList:
    row = await _find(work.session, ref)
    gone = _shown(row)
    await work.session.delete(row)
    await work.flush()
    work.record("do_not_call_list.remove", gone.id, as_dict(gone), None, touches_do_not_call=True)
    return gone


async def load(session: AsyncSession, known: dict[str, PackedNumbers]) -> dict[str, PackedNumbers]:
    """All lists in memory, by id; one that is ``known`` is not read again, as none ever changes."""
    found: dict[str, PackedNumbers] = {}
    for kept in await list_all(session):
        found[kept.id] = known.get(kept.id) or await _read(session, kept.id)
    return found


async def _read(session: AsyncSession, list_id: str) -> PackedNumbers:
    query = select(DoNotCallBlock.packed).where(DoNotCallBlock.list_id == list_id).order_by(DoNotCallBlock.first)
    return number_sets.joined(list(await session.scalars(query)))


async def _keep(store: Store, actor: Actor, name: str, source: str, numbers: Iterable[int]) -> NumbersList:
    """Under a name that nobody sees until all of it stands; what an earlier try left is taken away."""
    made = ids.new(ids.NUMBERS_LIST)
    draft = f"{made} {name}"
    async with store.write(actor) as work:
        unfinished = (DoNotCallList.numbers == 0) & DoNotCallList.name.like(f"% {name}")
        await work.session.execute(delete(DoNotCallList).where(unfinished))
        times = {"created_us": work.at_us, "updated_us": work.at_us}
        await work.session.execute(insert(DoNotCallList).values(id=made, name=draft, source=source, numbers=0, **times))
    total, part = 0, list[dict[str, object]]()
    blocks = await asyncio.to_thread(lambda: list(number_sets.blocks(numbers)))
    for first, count, packed in blocks:
        total += count
        part.append({"list_id": made, "first": first, "packed": packed})
        if len(part) == BLOCKS_AT_ONCE:
            await _add(store, actor, part)
            part = []
    await _add(store, actor, part)
    return await _stands(store, actor, made, name, total)


async def _add(store: Store, actor: Actor, part: list[dict[str, object]]) -> None:
    if part:
        async with store.write(actor) as work:
            await work.session.execute(insert(DoNotCallBlock), part)


async def _stands(store: Store, actor: Actor, list_id: str, name: str, total: int) -> NumbersList:
    async with store.write(actor) as work:
        before = await work.session.scalar(select(DoNotCallList).where(DoNotCallList.name == name))
        if before is not None:
            await work.session.delete(before)
            await work.flush()
        row = await work.session.get_one(DoNotCallList, list_id)
        row.name, row.numbers, row.updated_us = name, total, work.at_us
        await work.flush()
        kept = _shown(row)
        was = as_dict(_shown(before)) if before is not None else None
        work.record("do_not_call_list.import", list_id, was, as_dict(kept), touches_do_not_call=True)
    return kept


async def _find(session: AsyncSession, ref: str) -> DoNotCallList:
    row = await session.get(DoNotCallList, ref)
    row = row or await session.scalar(select(DoNotCallList).where(DoNotCallList.name == ref))
    if row is None:
        raise not_found("do-not-call list", ref)
    return row


def _shown(row: DoNotCallList) -> NumbersList:
    return NumbersList(row.id, row.name, row.source, row.numbers, row.created_us, row.updated_us)


class _Reader:
    """One pass over the file, whose lines are plain: no cell of numbers holds a line's end."""

    def __init__(self, path: Path, country: str, report: Path, progress: Progress | None) -> None:
        self._path, self._country, self._report, self._progress = path, country, report, progress
        self.lines = self.refused = 0
        self._bad: list[tuple[str, str]] = []

    @property
    def report(self) -> Path | None:
        return self._report if self._bad else None

    def numbers(self) -> array[int]:
        found, done = array("Q"), 0
        for text in self._texts():
            done += len(text) + 1
            self.lines += 1
            digits = number_in(text.strip(), self._country)
            if digits is not None:
                found.append(digits)
            elif text.strip() and self.lines > 1:  # the first may be the names of columns
                self._refuse(text.strip())
            if self._progress is not None and self.lines % 50_000 == 0:
                self._progress(done, self.lines)
        if self._bad:
            rows = [csv_files.row(("line", "text")), *(csv_files.row(each) for each in self._bad)]
            self._report.write_text("".join(rows), encoding="utf-8-sig")
        return found

    def _texts(self) -> Iterator[str]:
        with self._path.open(encoding="utf-8-sig", errors="replace") as file:
            yield from file

    def _refuse(self, text: str) -> None:
        self.refused += 1
        if len(self._bad) < _TOO_MANY_BAD:
            self._bad.append((str(self.lines), text[:200]))


def number_in(line: str, country: str) -> int | None:
    """The digits of the line's number. What is plainly one is not parsed: that would take minutes for millions."""
    if country in ("US", "CA") and (found := _NORTH_AMERICA.fullmatch(line)):
        return int("1" + found[1] + found[2].replace("-", ""))
    for cell in re.split(r"[,;\t]", line):
        text = cell.strip().strip('"').strip()
        if _E164.fullmatch(text):
            return int(text[1:])
        if sum(map(str.isdigit, text)) >= 7 and (read := _parsed(text, country)) is not None:
            return read
    return None


def _parsed(text: str, country: str) -> int | None:
    try:
        return int(as_e164(text, country)[1:])
    except Refused:
        return None
