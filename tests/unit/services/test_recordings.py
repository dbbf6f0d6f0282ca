"""What becomes of the files that a recording was written into, with the real encoder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pbx.adapters.asterisk.spool import Spool
from pbx.adapters.sound_worker import SoundWorker
from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alerts
from pbx.services.disk_guard import DiskGuard, Room
from pbx.services.recordings import Places, Recordings, our_side
from tests.unit.services.standins import HandClock

CALL = CallId("c_01")


class Studio:
    """Recordings of one call, and what its history was told of them."""

    def __init__(self, folder: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.looks = 0
        self.spool, self.sound = Spool(folder / "spool"), SoundWorker(folder / "recordings")
        calls: Any = SimpleNamespace(annotate=lambda call, kind, data, after: self.told.append(data))
        records: Any = SimpleNamespace(get=lambda call: None)
        places = Places(self.spool.path, self.spool.path, self._settled, self.spool.release)
        guard = DiskGuard(self._look, lambda: 0, Alerts(HandClock()))
        self.recordings = Recordings(calls, records, self.sound, places, lambda: "opus", guard)

    async def _settled(self, recording: str) -> None: ...

    def _look(self) -> Room:
        self.looks += 1
        return Room("/", 10**9)

    async def record(self, name: str, sound: bytes) -> Path:
        source = self.spool.path(name)
        for path in (source, our_side(source)):
            path.write_bytes(sound)
        self.recordings.happened(CALL, [(1, Fact("recording.stopped", Instant(1), {"recording": name}))])
        await self.recordings.drain(10)
        return source


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    made = Studio(tmp_path)
    yield made
    await made.sound.close()


@pytest.mark.covers("TRUST6")
async def test_files_of_a_call_without_any_sound_are_lent_again_and_no_disk_is_tried(studio: Studio) -> None:
    source = await studio.record("rec_1", b"")
    assert studio.told == [
        {"recording": "rec_1", "state": "failed", "problem": "Nothing was recorded: no sound arrived."}
    ]
    assert not source.exists() and studio.looks == 0
    studio.spool.lend("rec_2")
    assert studio.spool.path("rec_2").exists() and our_side(studio.spool.path("rec_2")).exists()


@pytest.mark.covers("TRUST6")
async def test_sound_that_no_file_takes_stays_where_it_was_written(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file stands where the directory should be")
    source = await studio.record("rec_1", bytes(16000))
    assert [told["state"] for told in studio.told] == ["failed"] and studio.looks == 1
    assert source.stat().st_size == 16000


async def test_files_whose_sound_is_in_place_are_lent_again(studio: Studio) -> None:
    source = await studio.record("rec_1", bytes(16000))
    assert [(told["state"], told["duration_ms"]) for told in studio.told] == [("ready", 1000)]
    assert not source.exists()
