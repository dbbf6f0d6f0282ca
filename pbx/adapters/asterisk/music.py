"""Music on hold: the operator's files, else the package's, else a quiet melody of our own."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

_RATE_HZ = 8000
_LEVEL = 0.12  # of full scale: music behind nobody's voice should not startle
_NOTE_S = 0.6
_SOUNDS = ("*.wav", "*.sln16", "*.ulaw", "*.alaw", "*.g722", "*.gsm")

# A slow walk through four chords; frequencies in Hz.
_MELODY = (262, 330, 392, 330, 220, 262, 330, 262, 175, 220, 262, 220, 196, 247, 294, 247)


def ensure_music(own: Path, packaged: Path) -> Path:
    """The directory that has music: ``own`` if the operator filled it, ``packaged``, or ``own`` with a melody."""
    for folder in (own, packaged):
        if any(any(folder.glob(pattern)) for pattern in _SOUNDS):
            return folder
    own.mkdir(parents=True, exist_ok=True)
    _write_melody(own / "melody.wav")
    return own


def _write_melody(path: Path) -> None:
    samples = [sample for note in _MELODY * 2 for sample in _note(note)]
    draft = path.with_suffix(".part")
    with wave.open(str(draft), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    draft.replace(path)


def _note(frequency_hz: int) -> list[int]:
    count = int(_RATE_HZ * _NOTE_S)
    scale = 32767 * _LEVEL
    return [
        int(scale * math.sin(math.pi * i / count) * math.sin(2 * math.pi * frequency_hz * i / _RATE_HZ))
        for i in range(count)
    ]
