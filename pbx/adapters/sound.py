"""Recordings as files: checked, encoded, measured, and moved into place whole (TRUST 6, 7).

All of it runs in a process of its own, at idle priority: a ringing phone never waits for an encoder.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from pbx.adapters.finished import Finished, Greeting
from pbx.services.recordings import our_side

RAW_RATE_HZ = 8000
RAW_CHANNELS = 2
PEAKS = 1200
Codec = Literal["opus", "flac"]
_FORMATS: dict[str, tuple[str, str, str]] = {
    "opus": ("OGG", "OPUS", ".opus"),
    "flac": ("FLAC", "PCM_16", ".flac"),
}
CONTENT_TYPES = {".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav"}


class SoundError(Exception):
    """The sound cannot be finished; the text is a sentence for the log."""


class NotWritten(SoundError):
    """It could be read, and no file took it."""


def be_idle() -> None:
    """Use only the time that nobody else wants."""
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (OSError, AttributeError):
        os.nice(19)


def finish_raw(source: Path, directory: Path, name: str, codec: Codec) -> Finished:
    """Encode what MixMonitor wrote: left the customer, right our side. The shorter side ends in silence."""
    sides = [raw_samples(source), raw_samples(our_side(source))]
    samples = np.zeros((max(map(len, sides)), RAW_CHANNELS), dtype="<i2")
    for channel, side in enumerate(sides):
        samples[: len(side), channel] = side
    return store(samples, RAW_RATE_HZ, directory, name, codec)


def raw_samples(path: Path) -> np.ndarray:
    """What MixMonitor wrote into a file; none where there is no file."""
    data = path.read_bytes() if path.exists() else b""
    return np.frombuffer(data[: len(data) - len(data) % 2], dtype="<i2")


def finish_wav(source: Path, directory: Path, name: str, codec: Codec) -> Finished:
    """Encode a voicemail that Asterisk wrote. Raises SoundError where its header or content is damaged."""
    try:
        samples, rate = soundfile.read(source, dtype="int16", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise SoundError(f"The sound file {source.name} cannot be read: {error}.") from error
    return store(samples, rate, directory, name, codec)


GREETING_RATE_HZ = 16_000
LONGEST_GREETING_S = 60


def make_greeting(source: Path, directory: Path, name: str, codec: Codec) -> Greeting:
    """What a browser recorded, as Asterisk plays it: one channel of 16 kHz in a WAV file. Raises SoundError with a
    sentence for who recorded it."""
    try:
        with soundfile.SoundFile(source) as file:
            if file.frames > file.samplerate * LONGEST_GREETING_S:
                raise SoundError(f"This greeting is too long. Keep it within {LONGEST_GREETING_S} seconds.")
            samples, rate = file.read(dtype="float32", always_2d=True).mean(axis=1), file.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        raise SoundError(
            "This sound cannot be read. Send it as WAV, FLAC, MP3 or Ogg (Opus or Vorbis); WebM is not read."
        ) from error
    if len(samples) < rate // 2:
        raise SoundError("This greeting is shorter than half a second. Record it again.")
    spoken = np.clip(_resampled(samples, rate, GREETING_RATE_HZ), -1, 1)
    target = directory / f"{name}.wav16"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft_of(target)
    soundfile.write(draft, spoken, GREETING_RATE_HZ, format="WAV", subtype="PCM_16")
    _sync(draft)
    draft.replace(target)
    return Greeting(target.name, len(spoken) * 1000 // GREETING_RATE_HZ)


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """By its spectrum: what the new rate cannot hold is left out, so that nothing folds back into the voice."""
    if rate == wanted:
        return samples
    count = len(samples) * wanted // rate
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, dtype=spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.fft.irfft(kept, count) * (count / len(samples))


def store(samples: np.ndarray, rate: int, directory: Path, name: str, codec: Codec) -> Finished:
    """Encode into the recordings directory, with the waveform beside it. Raises SoundError, NotWritten."""
    if len(samples) == 0:
        raise SoundError("Nothing was recorded: no sound arrived.")
    peaks = directory / f"{name}.peaks.json"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write_whole(peaks, json.dumps(_peaks(samples, rate)).encode())
    except OSError as error:
        _draft_of(peaks).unlink(missing_ok=True)
        raise NotWritten(f"The recording could not be written: {error}.") from error
    target, content = _encode(samples, rate, directory, name, codec)
    return Finished(
        target.name,
        peaks.name,
        hashlib.sha256(content).hexdigest(),
        codec,
        samples.shape[1],
        len(samples) * 1000 // rate,
        len(content),
    )


def store_beside(samples: np.ndarray, rate: int, directory: Path, name: str, codec: Codec) -> str:
    """Another form of a recording; gives its path in the recordings directory. Raises NotWritten."""
    return _encode(samples, rate, directory, name, codec)[0].name


def _encode(samples: np.ndarray, rate: int, directory: Path, name: str, codec: Codec) -> tuple[Path, bytes]:
    """Into place whole, or not at all."""
    kind, subtype, suffix = _FORMATS[codec]
    target = directory / f"{name}{suffix}"
    draft = _draft_of(target)
    try:
        soundfile.write(draft, samples, rate, format=kind, subtype=subtype)
        _check(draft, len(samples), rate)
        content = draft.read_bytes()
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    except (OSError, soundfile.SoundFileError, AssertionError) as error:  # the last: fewer samples were written
        draft.unlink(missing_ok=True)
        raise NotWritten(f"The recording could not be written: {error}.") from error
    return target, content


def _check(path: Path, frames: int, rate: int) -> None:
    """What was written must hold what was recorded: read the header back, compare the lengths."""
    info = soundfile.info(path)
    if abs(info.frames / info.samplerate - frames / rate) > 0.1:
        raise OSError("the encoded file is shorter than the recording")


def _peaks(samples: np.ndarray, rate: int) -> dict[str, object]:
    """The waveform as a player draws it: the loudest sample of each slice, per channel, 0 to 100."""
    count = min(PEAKS, len(samples))
    slices = np.array_split(np.abs(samples.astype(np.int32)), count)
    loud = np.array([part.max(axis=0) for part in slices])
    channels = [[int(value) for value in np.round(loud[:, c] * 100 / 32768)] for c in range(samples.shape[1])]
    return {"version": 1, "duration_ms": len(samples) * 1000 // rate, "channels": channels}


def _write_whole(path: Path, content: bytes) -> None:
    draft = _draft_of(path)
    draft.write_bytes(content)
    _sync(draft)
    draft.replace(path)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
