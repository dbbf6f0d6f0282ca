"""The journal on a real file system: crashes, a full disk, new segments while a flush is at work."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbx.adapters.store import journal as module
from pbx.adapters.store.journal import FileJournal, Line
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from tests.support.waiting import in_time, until

CALL = CallId("c_01HZ0000000000000000000001")


def fact(number: int, **data: object) -> tuple[int, Fact]:
    return number, Fact("call.state", Instant(number), {"state": "ringing", **data})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    journal = FileJournal(tmp_path)
    yield journal
    journal.close()


def replayed(directory: Path) -> list[int]:
    again = FileJournal(directory)
    lines = [line.seq for line in again.left_behind()]
    again.close()
    return lines


@pytest.mark.covers("P3")
def test_a_killed_engine_finds_every_line_that_was_written(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.append(CALL, [fact(1, caller="+81 ☎ テスト\nline\r\x00"), fact(2)])
    [first, second] = list(FileJournal(tmp_path).left_behind())  # no close: the process is gone
    assert first == Line(CALL, 1, "call.state", 1, {"state": "ringing", "caller": "+81 ☎ テスト\nline\r\x00"})
    assert second.seq == 2


@pytest.mark.covers("P3")
@pytest.mark.parametrize(
    "torn", [b'{"c":"c_1","n":3,"k":"ca', b"{", b"12", b"\x00\x00\x00", b'{"c":"c_1"}', b"\xff\xfe"]
)
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, torn: bytes) -> None:
    journal = FileJournal(tmp_path)
    journal.append(CALL, [fact(1), fact(2)])
    with journal.segments()[-1].open("ab") as file:
        file.write(torn)
    assert replayed(tmp_path) == [1, 2]


def test_the_segment_being_written_is_not_left_behind(journal: FileJournal) -> None:
    journal.append(CALL, [fact(1)])
    assert list(journal.left_behind()) == []


def test_lines_are_taken_once_and_wake_the_taker(journal: FileJournal) -> None:
    journal.append(CALL, [fact(1)])
    assert journal.wake.is_set()
    assert [line.seq for line in journal.take()] == [1]
    assert journal.take() == []
    assert not journal.wake.is_set()


def test_half_a_surrogate_pair_is_written_all_the_same(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.append(CALL, [fact(1, by="\ud800"), fact(2, huge=1 << 70), fact(3)])
    assert replayed(tmp_path) == [1, 2, 3]


@pytest.mark.covers("P3")
def test_a_segment_is_given_for_deletion_only_after_its_lines_were_taken(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    journal.append(CALL, [fact(1)])
    journal.take()
    journal.append(CALL, [fact(2)])  # while what was taken is being applied
    assert journal.rotate() == []
    assert len(journal.segments()) == 2
    assert [line.seq for line in journal.take()] == [2]
    [done] = journal.rotate()
    assert done == journal.segments()[0]


async def test_a_new_segment_while_a_flush_is_at_work_harms_neither(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    monkeypatch.setattr(module, "FLUSH_EVERY_S", 0.0)
    flushing = asyncio.create_task(journal.flush_forever())
    for number in range(1, 200):
        journal.append(CALL, [fact(number)])
        journal.take()
        for path in journal.rotate():
            path.unlink()
        await asyncio.sleep(0)
        assert not flushing.done()
    flushing.cancel()
    await asyncio.wait([flushing])


class FullDisk:
    """Takes ``room`` more bytes, then says that there is no space."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(module.os, "write", self.write)

    def write(self, handle: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(handle, data[: self.room])
        self.room -= written
        return written


@pytest.mark.covers("P3")
@pytest.mark.parametrize("room", [0, 1, 30, 100, 150])
def test_a_full_disk_ends_nothing_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    journal = FileJournal(tmp_path)
    disk = FullDisk(monkeypatch, room)
    for number in (1, 2, 3):
        journal.append(CALL, [fact(number)])
    assert [line.seq for line in journal.take()] == [1, 2, 3], "the store is given them from memory"
    disk.room = 1 << 20
    journal.append(CALL, [fact(4)])
    journal.close()
    assert replayed(tmp_path) == [1, 2, 3, 4]


async def test_the_flush_writes_what_is_owed_without_another_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_EVERY_S", 0.0)
    journal = FileJournal(tmp_path)
    disk = FullDisk(monkeypatch, 0)
    journal.append(CALL, [fact(1)])
    disk.room = 1 << 20
    flushing = asyncio.create_task(journal.flush_forever())
    await until(lambda: journal.segments()[-1].stat().st_size, within=5, what="the owed line on the disk")
    flushing.cancel()
    await asyncio.wait([flushing])
    journal.close()


async def test_a_disk_that_refuses_to_flush_does_not_end_the_flushing(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def refuse(handle: int) -> None:
        loop.call_soon_threadsafe(tried.set)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "FLUSH_EVERY_S", 0.0)
    monkeypatch.setattr(module.os, "fdatasync", refuse)
    flushing = asyncio.create_task(journal.flush_forever())
    for number in (1, 2):
        tried.clear()
        journal.append(CALL, [fact(number)])
        await in_time(tried.wait(), 5)
    assert not flushing.done()
    flushing.cancel()
    await asyncio.wait([flushing])
