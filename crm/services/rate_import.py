"""Import of a table of rates from CSV (A6): hundreds of thousands of prefixes, with a report of the lines refused.

Columns are known by their names: prefix and price are needed; name, set-up fee, increments and, for texts, the price
of one with pictures or files (media) may be there. Prices are
in the currency's unit, with a point or a comma. Increments are written 60/60, 30/6, 1/1 (the first seconds, then the
steps); where they are left out each started minute counts.

The table holds only once all of it is in the store: until then nobody sees it, and what a crash has left of one goes
with the next import.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import csv_files, fields, ids, languages
from crm.csv_files import Line
from crm.errors import Refused, printable
from crm.models.money import Rate, RateTable
from crm.rates import LONGEST, Price, Way
from crm.repositories import money
from crm.search.text import words
from crm.services import rates, settings
from crm.services.importing import Progress, Report
from crm.unit_of_work import CLI, Actor, Store, UnitOfWork

BATCH = 5_000
LEFT_US = 24 * 3_600_000_000
_PROGRESS_EVERY_S = 0.2
_NAMES = {
    "prefix": "prefix,code,dial code,dialcode,country code,area code,destination code,番号,プレフィックス,局番,国番号",
    "name": "name,destination,description,country,area,zone,route,宛先,名称,地域,国,国名",
    "price": "price,rate,minute,per minute,price per minute,rate per minute,minute price,cost,per segment,segment,"
    "price per segment,price per text,料金,単価,分単価,通話料,価格",
    "setup": "setup,set up,setup fee,set up fee,connection,connection fee,connect fee,初期料金,接続料,セットアップ料金",
    "increments": "increments,increment,billing increment,billing increments,interval,課金単位",
    "first": "first,first increment,minimum,minimum seconds,initial increment,初回秒数,最低秒数",
    "media": "media,mms,media price,price per mms,mms price,picture message,メディア料金,mms 料金,画像",
    "then": "then,next increment,second increment,step,subsequent increment,課金秒数,以降秒数",
}
_BY_NAME = {"".join(words(name)): field for field, names in _NAMES.items() for name in names.split(",")}
_MONEY = re.compile(r"[0-9]{1,9}([.,][0-9]{1,9})?")
_STEPS = re.compile(r"([0-9]{1,5})\s*[/+:]\s*([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Result:
    """``unchanged`` counts lines that said the same as one before; ``report`` the file with the refused ones."""

    table: str
    lines: int
    added: int
    unchanged: int
    refused: int
    report: Path | None
    seconds: float


class Bad(Exception):
    """Why a line cannot be kept."""


def columns(header: Sequence[str], mapping: Mapping[str, str] | None = None) -> list[str | None]:
    """For each column its field. Raises Refused where prefix or price is not there."""
    wanted = {"".join(words(name)): field for name, field in (mapping or {}).items()}
    found: list[str | None] = []
    for name in header:
        key = "".join(words(name.replace("_", " ")))
        field = wanted.get(key, _BY_NAME.get(key)) or None
        if field is not None and field not in _NAMES:
            raise Refused("no_field", f"There is no field “{printable(field)}”: {', '.join(_NAMES)}.", "mapping")
        found.append(field if field not in found else None)
    for needed in ("prefix", "price"):
        if needed not in found:
            raise Refused(
                f"no_{needed}_column",
                f"No column of the file is the {needed}. Say which one is, for example with “Code={needed}”.",
                "mapping",
            )
    return found


async def run(
    store: Store,
    path: Path,
    values: Mapping[str, Any],
    *,
    mapping: Mapping[str, str] | None = None,
    actor: Actor = CLI,
    report: Path | None = None,
    progress: Progress | None = None,
    language: str = languages.WRITTEN_IN,
) -> Result:
    """``values`` are of the table: ``name`` and ``direction`` are needed, ``trunk_id``, ``currency``,
    ``valid_from_us`` and ``valid_until_us`` may be given. Raises Refused for what cannot be read at all."""
    started = time.monotonic()
    form = await asyncio.to_thread(csv_files.form, path)
    found = columns(form.header, mapping)
    async with store.write(actor) as work:
        table_id, kind = await _begin(work, values)
    refused = Report(report or path.with_name(path.name + ".refused.csv"), form, language)
    reading = _Reading(found, kind)
    lines = 0
    with refused, path.open(encoding=form.encoding, newline="") as file:
        source = csv_files.lines(file, form.delimiter)
        size, told = os.fstat(file.fileno()).st_size, 0.0
        while batch := list(islice(source, BATCH)):
            good = await asyncio.to_thread(reading.read, batch, refused)
            async with store.write(actor) as work:
                await money.add_rates(work.session, table_id, good)
            lines += len(batch)
            if progress is not None and time.monotonic() - told >= _PROGRESS_EVERY_S:
                told = time.monotonic()
                progress(_at(file), size, lines)
        if progress is not None:
            progress(size, size, lines)
    async with store.write(actor) as work:
        await _hold(work, table_id, len(reading.seen))
    added, same = len(reading.seen), reading.same
    return Result(table_id, lines, added, same, refused.count, refused.path, time.monotonic() - started)


def _at(file: io.TextIOWrapper) -> int:
    return os.lseek(file.fileno(), 0, os.SEEK_CUR)


async def check(session: AsyncSession, values: Mapping[str, Any], at_us: int) -> dict[str, Any]:
    """The table's own fields, as they will be kept. Raises Refused as :func:`run` does."""
    currency = str((await settings.values(session))["billing.currency"])
    known = rates.CHECKS | {
        "direction": fields.choice(*Way),
        "trunk_id": fields.optional(fields.text(64)),
        "currency": fields.currency,
    }
    given: dict[str, Any] = {"trunk_id": None, "currency": currency, "valid_from_us": at_us, "valid_until_us": None}
    given |= fields.read(values, known, ("name", "direction"))
    if given["currency"] != currency:
        raise Refused(
            "other_currency",
            f"The account is in {currency}, so rates must be, too. Convert the file, or change billing.currency.",
            "currency",
        )
    rates.check_times(given["valid_from_us"], given["valid_until_us"])
    await rates.check_trunk(session, given["trunk_id"])
    return given


async def _begin(work: UnitOfWork, values: Mapping[str, Any]) -> tuple[str, str]:
    given = await check(work.session, values, work.at_us)
    await _clear(work, given["name"])
    table_id = ids.new(ids.RATE_TABLE, work.at_us)
    times = {"created_us": work.at_us, "updated_us": work.at_us}
    work.session.add(RateTable(id=table_id, prefixes=0, active=False, **times, **given))
    await work.flush()
    return table_id, given["direction"]


async def _clear(work: UnitOfWork, name: str) -> None:
    """What an import that was killed has left: one of the same name, or so old that none runs any more."""
    left = select(RateTable).where(RateTable.active.is_(False))
    left = left.where((RateTable.name == name) | (RateTable.created_us < work.at_us - LEFT_US))
    for table in list(await work.session.scalars(left)):
        await work.session.execute(delete(Rate).where(Rate.table_id == table.id))
        await work.session.delete(table)
    await work.flush()


async def _hold(work: UnitOfWork, table_id: str, prefixes: int) -> None:
    table = await work.session.get(RateTable, table_id)
    if table is None:
        raise Refused("table_removed", "The table was removed while it was being read in. Import it again.")
    if not prefixes:
        await work.session.delete(table)
        await work.flush()
        return
    table.active, table.prefixes, table.updated_us = True, prefixes, work.at_us
    await work.flush()
    work.record("rates.import", table.id, None, {"name": table.name, "prefixes": prefixes})


class _Reading:
    """What of a file has been read so far."""

    def __init__(self, found: Sequence[str | None], direction: str) -> None:
        self._at = {field: place for place, field in enumerate(found) if field is not None}
        self._text = direction == Way.TEXT
        self.seen: dict[str, Price] = {}
        self.same = 0

    def read(self, lines: Sequence[Line], refused: Report) -> list[tuple[str, Price]]:
        good = []
        for line in lines:
            try:
                if line.problem:
                    raise Bad(line.problem)
                good += self._line(line)
            except Bad as why:
                refused.add(line, str(why))
        return good

    def _line(self, line: Line) -> list[tuple[str, Price]]:
        """Several prefixes may stand in one cell, with spaces or semicolons between."""
        price, prefixes = self._price(line), dict.fromkeys(_prefixes(self._cell(line, "prefix")))
        for prefix in prefixes:
            if self.seen.get(prefix, price) != price:
                raise Bad(f"The prefix {prefix} stands in a line before with another price. Take one of them out.")
        fresh = [prefix for prefix in prefixes if prefix not in self.seen]
        self.same += len(prefixes) - len(fresh)
        self.seen |= dict.fromkeys(fresh, price)
        return [(prefix, price) for prefix in fresh]

    def _cell(self, line: Line, field: str) -> str:
        place = self._at.get(field)
        return line.cells[place] if place is not None and place < len(line.cells) else ""

    def _price(self, line: Line) -> Price:
        first, then = self._steps(line)
        name = self._cell(line, "name")[:100]
        setup = self._cell(line, "setup")
        media = self._cell(line, "media") if self._text else ""
        fee, whole = micros(setup) if setup else 0, micros(media) if media else None
        return Price(name, micros(self._cell(line, "price")), fee, first, then, whole)

    def _steps(self, line: Line) -> tuple[int, int]:
        if self._text:
            return 1, 1
        written = self._cell(line, "increments")
        first, then = self._cell(line, "first") or "60", self._cell(line, "then")
        if written:
            found = _STEPS.fullmatch(written)
            first, then = (found[1], found[2]) if found else (written, "")
        then = then or (first if written else "60")
        if not (first.isdecimal() and then.isdecimal() and 1 <= int(then) <= 86_400 and 0 <= int(first) <= 86_400):
            raise Bad("Increments are written like 60/60, 30/6 or 1/1, in seconds.")
        return int(first), int(then)


def micros(text: str) -> int:
    """A decimal number of units as micro-units. Raises Bad for what is none; what is finer is rounded up."""
    if not _MONEY.fullmatch(text):
        raise Bad(f"“{printable(text, 20)}” is not a price. Write it like 0.0125.")
    whole, _, part = text.replace(",", ".").partition(".")
    return int(whole) * 1_000_000 + -(-int((part + "0" * 9)[:9]) // 1000)


def _prefixes(cell: str) -> list[str]:
    found = [part.lstrip("+") for part in re.split(r"[\s;,]+", cell) if part.strip("+")]
    if not found or not all(part.isascii() and part.isdecimal() and len(part) <= LONGEST for part in found):
        raise Bad(f"“{printable(cell, 30)}” is not a prefix. Write its digits, for example 1415 or +8190.")
    return found
