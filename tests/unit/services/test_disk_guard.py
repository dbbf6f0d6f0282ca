"""Room for recordings: withheld in time, told of once, and begun again by themselves (TRUST 6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.adapters import disk
from pbx.adapters.disk import Disks
from pbx.services.alerts import Alerts
from pbx.services.disk_guard import MB, DiskGuard, Room
from tests.unit.services.standins import HandClock


class Disk:
    def __init__(self) -> None:
        self.free_mb, self.writable, self.lowest_mb = 500, True, 200
        self.alerts = Alerts(HandClock())
        self.guard = DiskGuard(
            lambda: Room("/home", self.free_mb * MB, self.writable), lambda: self.lowest_mb, self.alerts
        )

    async def at(self, free_mb: int, writable: bool = True) -> tuple[str | None, list[str]]:
        self.free_mb, self.writable = free_mb, writable
        await self.guard.look()
        return self.guard.withheld, [alert.kind.value for alert in self.alerts.standing]


async def test_recordings_are_withheld_in_time_and_begin_again_with_a_little_more_room() -> None:
    disk = Disk()
    assert await disk.at(200) == (None, [])
    assert await disk.at(199) == ("disk_low", ["disk_low"])
    assert await disk.at(210) == ("disk_low", ["disk_low"]), "else each recording that ends would begin another"
    assert "199 MB left" in disk.alerts.standing[0].sentence
    assert await disk.at(221) == (None, [])


async def test_a_full_disk_is_told_of_once_as_full() -> None:
    disk = Disk()
    assert await disk.at(0, writable=False) == ("disk_full", ["disk_full"])
    assert await disk.at(100) == ("disk_low", ["disk_low"])
    assert await disk.at(300) == (None, [])


async def test_a_quota_is_a_full_disk_however_much_is_free() -> None:
    assert await Disk().at(50_000, writable=False) == ("disk_full", ["disk_full"])


async def test_with_no_least_recordings_begin_until_the_disk_takes_no_more() -> None:
    disk = Disk()
    disk.lowest_mb = 0
    assert await disk.at(0) == (None, [])


def test_a_disk_that_takes_nothing_is_seen_to_and_the_probe_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks = Disks((tmp_path,))
    room = disks.look()
    assert room.writable and room.free_bytes > 0
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]
    (tmp_path / disk._PROBE).unlink()
    (tmp_path / disk._PROBE).symlink_to("/dev/full")
    assert not disks.look().writable
