"""The encoder is killed again and again while it works: what is to be seen in the folder is whole, always (TRUST 7)."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.figures import at_most
from pbx.adapters.sound import RAW_RATE_HZ
from pbx.services.recordings import our_side
from tests.support.trust import Measured

RECORDINGS, KILLS, SECONDS = 60, 6, 2
ENCODER = """
import sys
from pathlib import Path
from pbx.adapters import sound
spool, folder = map(Path, sys.argv[1:3])
print("ready", flush=True)
for name in sys.argv[3:]:
    done = sound.finish_raw(spool / f"{name}.sln", folder, name, "opus")
    print(name, done.sha256, flush=True)
"""


@pytest.mark.covers("TRUST7")
@pytest.mark.trust(7)
def test_an_encoder_that_is_killed_at_any_moment_leaves_nothing_half_visible(
    tmp_path: Path, measured: Measured
) -> None:
    spool, folder = tmp_path / "spool", tmp_path / "recordings"
    spool.mkdir()
    names = [f"rec_{number}" for number in range(RECORDINGS)]
    for number, name in enumerate(names):
        _write(spool / f"{name}.sln", 200 + number)
    chance, done, half = random.Random(7), dict[str, str](), list[str]()
    for kill in range(KILLS + 1):
        left = [name for name in names if name not in done]
        done |= _encode(spool, folder, left, chance.randrange(1, 8) if kill < KILLS else None, chance)
        half += _half_visible(folder, done)
    assert done.keys() == set(names), "each is finished in the end"
    measured(at_most(f"files half visible after {KILLS} kills over {RECORDINGS} recordings", len(half), "files", 0))
    assert not [path for path in folder.iterdir() if path.suffix == ".part"]


def _encode(spool: Path, folder: Path, names: list[str], after: int | None, chance: random.Random) -> dict[str, str]:
    """Killed in the middle of the one after so many; None: not at all. What it said it had finished."""
    command = [sys.executable, "-c", ENCODER, str(spool), str(folder), *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as encoder:
        assert encoder.stdout is not None
        said: dict[str, str] = {}
        for line in encoder.stdout:
            name, _, sha256 = line.strip().partition(" ")
            said |= {name: sha256} if sha256 else {}
            if after is not None and len(said) == after:
                time.sleep(chance.random() * 0.02)
                encoder.kill()
    return said


def _half_visible(folder: Path, done: dict[str, str]) -> list[str]:
    """Drafts are hidden; everything else must be what it will be for good."""
    seen = [path for path in folder.glob("*") if not path.name.startswith(".")]
    return [path.name for path in seen if not _whole(path, done.get(path.name.split(".")[0]))]


def _whole(path: Path, sha256: str | None) -> bool:
    if path.suffix == ".json":
        return bool(json.loads(path.read_text())["duration_ms"] == SECONDS * 1000)
    info = soundfile.info(path)
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        return False
    return abs(info.frames / info.samplerate - SECONDS) < 0.1


def _write(path: Path, hz: int) -> None:
    times = np.arange(SECONDS * RAW_RATE_HZ) / RAW_RATE_HZ
    sound = (9000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes()
    path.write_bytes(sound)
    our_side(path).write_bytes(sound)
