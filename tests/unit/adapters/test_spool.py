"""The files that recordings are written into."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.adapters.asterisk import spool as spools
from pbx.adapters.asterisk.spool import Spool
from pbx.services.recordings import our_side

SOUND = b"\1\2" * 800


def write(spool: Spool, recording: str) -> tuple[int, int]:
    """As MixMonitor does; gives the inodes of both sides."""
    path = spool.path(recording)
    for side in (path, our_side(path)):
        with side.open("wb") as file:
            file.write(SOUND)
    return path.stat().st_ino, our_side(path).stat().st_ino


def test_a_file_is_lent_again_and_nothing_of_its_sound_is_left_in_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.lend("rec_1")
    assert not spool.path("rec_1").exists(), "the first is Asterisk's own to make"
    made = write(spool, "rec_1")
    spool.release("rec_1")
    assert list(tmp_path.glob("*.sln")) == []
    assert [path.stat().st_size for path in (tmp_path / "empty").iterdir()] == [0, 0]
    spool.lend("rec_2")
    assert spool.path("rec_2").read_bytes() == b"" == our_side(spool.path("rec_2")).read_bytes()
    assert set(write(spool, "rec_2")) == set(made)
    assert spool.path("rec_2").read_bytes() == SOUND


def test_files_that_an_earlier_run_kept_are_lent_too(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    made = write(first, "rec_1")
    first.release("rec_1")
    later = Spool(tmp_path)
    later.lend("rec_2")
    assert set(write(later, "rec_2")) == set(made)
    write(later, "rec_3")
    later.release("rec_3")
    later.release("rec_2")
    assert len(list((tmp_path / "empty").iterdir())) == 4, "no kept file takes another's name"


def test_no_more_are_kept_than_are_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "MOST_KEPT", 3)
    spool = Spool(tmp_path)
    for number in range(4):
        write(spool, f"rec_{number}")
    for number in range(4):
        spool.release(f"rec_{number}")
    assert len(list((tmp_path / "empty").iterdir())) == 3 and list(tmp_path.glob("*.sln")) == []


def test_a_recording_of_which_there_is_nothing_is_released_all_the_same(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.release("rec_1")
    spool.path("rec_2").write_bytes(SOUND)
    spool.release("rec_2")
    assert list(tmp_path.glob("*.sln")) == []


@pytest.mark.covers("P3", "V10")
def test_what_the_dialplan_recorded_becomes_a_recording_once_and_by_its_channels_name_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    write(spool, "fallback_1795628440.2")
    assert spool.adopt("1795628440.2", "rec_1")
    assert spool.path("rec_1").read_bytes() == our_side(spool.path("rec_1")).read_bytes() == SOUND
    assert not list(tmp_path.glob("*fallback*"))
    assert spool.adopt("1795628440.2", "rec_1"), "asked again, after an engine that died in between"
    assert not spool.adopt("1795628440.4", "rec_2")
    assert not spool.adopt("../rec_1", "rec_3")
