"""CSV files as people have them: any usual encoding and delimiter in, safe for spreadsheets out. Pure but for reading.

Encodings: UTF-8 and UTF-16 by their mark, UTF-8 without one, what Japanese Windows writes (cp932, a superset of
Shift_JIS), what Western Windows writes (cp1252).

Spreadsheets run what begins with ``= + - @`` as a formula. :func:`guard` puts an apostrophe before such a cell, which
:func:`unguard` takes away again; a number in E.164 stays as it is, as nothing but digits follows its plus.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.errors import Refused, printable

DELIMITERS = (",", "\t", ";", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_HARMLESS = re.compile(r"\+[0-9]{5,15}|-?[0-9]+([.,][0-9]+)?")
_HIGH = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written; ``header`` are its column names as they stand there."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """``number`` is the line of the file in which the row begins (the header is 1); ``problem`` says why it is none."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


def form(path: Path) -> Form:
    """Find out how the file is written. Raises Refused where it is not there, empty, or no text."""
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline(100_000)
    except OSError as error:
        raise _refused(f"The file {printable(str(path), 200)} cannot be read ({error.strerror}).") from error
    delimiter = max(DELIMITERS, key=lambda each: len(_split(first, each)))
    header = tuple(cell.strip() for cell in _split(first, delimiter))
    if not any(header):
        raise _refused("The file is empty. Its first line must hold the names of the columns.")
    return Form(encoding, delimiter, header)


def lines(file: io.TextIOBase, delimiter: str) -> Iterator[Line]:
    """The rows after the header; empty ones are left out. A row that cannot be read says why, and the next follows."""
    reader = csv.reader(file, delimiter=delimiter)
    next(reader, None)
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Line(begins, (), "This line cannot be read: a quotation mark in it is never closed.")
            continue
        if any(cell.strip() for cell in cells):
            yield Line(begins, tuple(unguard(cell.strip()) for cell in cells))


def guard(cell: str) -> str:
    """The cell as a spreadsheet shows it without running it."""
    if cell.startswith(_FORMULA) and not _HARMLESS.fullmatch(cell):
        return "'" + cell
    return "'" + cell if cell.startswith("'") and unguard(cell) != cell else cell


def unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA, "'")) else cell


def row(cells: Sequence[str]) -> str:
    """One line of CSV, guarded."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([guard(cell) for cell in cells])
    return text.getvalue()


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _is_western(path):
        return "cp1252"
    if _decodes(path, "cp932"):
        return "cp932"
    raise _refused("The file is neither UTF-8 nor Shift_JIS. Save it as “CSV UTF-8” and try again.")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_western(path: Path) -> bool:
    """Accented letters stand alone between plain ones; the bytes of kana and kanji stand in rows."""
    with path.open("rb") as file:
        runs = [len(run) for run in _HIGH.findall(file.read(_CHUNK))]
    return sum(1 for run in runs if run == 1) > 0.8 * len(runs) and _decodes(path, "cp1252")


def _refused(sentence: str) -> Refused:
    return Refused("bad_file", sentence, "file")
