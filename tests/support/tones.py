"""Sound checked by sound: make tones, and say which known tones a piece of audio holds, from when to when.

Every party of a test speaks one steady tone. A recording or a phone's ear is then asked which of the
known tones are in it. A tone counts as present where

* its amplitude is at least `FLOOR_DBFS`, and
* it stands `PROMINENCE_DB` above the median of its neighbourhood (+-150 Hz), so that speech, music and
  codec noise, which have energy everywhere, do not pass for it.

Analysis windows are Hann windows of 200 ms: two tones of equal loudness need 20 Hz between them. Edges of
a span are where the amplitude falls to half of the span's own level, which for a Hann window is the very
moment at which the tone starts or stops; measured accuracy is 20 ms.

Samples are float arrays of -1 to 1. Times are seconds from the start of the array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float64]

RATE = 8000
WINDOW_S = 0.2
STEP_S = 0.02
FLOOR_DBFS = -42.0
PROMINENCE_DB = 15.0
SILENCE_DBFS = -55.0
NEIGHBOURHOOD_HZ = 150.0


@dataclass(frozen=True)
class Span:
    """From when to when, in seconds."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.start:.2f}-{self.end:.2f} s"


@dataclass(frozen=True)
class Sound:
    """Audio read from a file: one column per channel."""

    channels: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.channels) / self.rate

    @property
    def count(self) -> int:
        return int(self.channels.shape[1])

    def channel(self, index: int) -> Samples:
        """One side of a stereo recording (0 left, 1 right)."""
        return np.ascontiguousarray(self.channels[:, index])

    @property
    def mono(self) -> Samples:
        """All channels added up, as a listener with one ear hears them."""
        return np.asarray(self.channels.sum(axis=1), dtype=np.float64)


def make_tone(hz: float, seconds: float, rate: int = RATE, level_dbfs: float = -9.0) -> Samples:
    """A sine whose peak is `level_dbfs` below full scale."""
    times = np.arange(round(seconds * rate)) / rate
    return np.asarray(10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * times), dtype=np.float64)


def make_silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.float64)


def read_sound(path: Path | str) -> Sound:
    """Read wav, flac or opus (Ogg) as they say they are; `.raw` and `.sln…` as signed 16-bit mono."""
    path = Path(path)
    raw_rates = {".raw": 8000, ".sln": 8000, ".sln16": 16000, ".sln48": 48000}
    if path.suffix in raw_rates:
        data = np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], dtype="<i2")
        return Sound((data.astype(np.float64) / 32768).reshape(-1, 1), raw_rates[path.suffix])
    data, rate = soundfile.read(str(path), dtype="float64", always_2d=True)
    return Sound(np.asarray(data, dtype=np.float64), int(rate))


def write_sound(path: Path | str, samples: Samples, rate: int = RATE) -> None:
    """Write float samples as 16-bit wav or flac, or as Ogg Opus, by the file's suffix."""
    if str(path).endswith(".opus"):
        soundfile.write(str(path), samples, rate, format="OGG", subtype="OPUS")
    else:
        soundfile.write(str(path), samples, rate, subtype="PCM_16")


def dbfs(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-9)))


def rms_dbfs(samples: Samples) -> float:
    """Loudness of the whole piece; -180 for nothing at all."""
    return dbfs(float(np.sqrt(np.mean(samples**2)))) if len(samples) else -180.0


def tone_level_dbfs(samples: Samples, hz: float, rate: int = RATE) -> float:
    """Amplitude (peak, dBFS) of one frequency over the whole of `samples`."""
    if not len(samples):
        return -180.0
    window = np.hanning(len(samples))
    basis = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return dbfs(float(2 * abs(np.dot(samples * window, basis)) / max(window.sum(), 1e-9)))


def has_tone(samples: Samples, hz: float, rate: int = RATE) -> bool:
    """Whether the tone sounds in at least half of the piece."""
    present = _presence(samples, hz, rate)[0]
    return bool(len(present)) and float(np.mean(present)) >= 0.5


def tones_in(samples: Samples, known: Iterable[float], rate: int = RATE) -> set[float]:
    """Which of the known tones sound anywhere in the piece for 100 ms or longer."""
    return {hz for hz in known if any(span.length >= 0.1 for span in tone_spans(samples, hz, rate))}


def tone_spans(samples: Samples, hz: float, rate: int = RATE, bridge: float = 0.05) -> list[Span]:
    """When the tone sounds. Breaks shorter than `bridge` seconds are passed over."""
    present, amplitude = _presence(samples, hz, rate)
    if not present.any():
        return []
    steady = float(np.median(amplitude[present]))
    audible = _grow(present, amplitude >= steady / 2)
    return _joined(_to_spans(audible, len(samples) / rate), bridge)


def silences(samples: Samples, rate: int = RATE, at_least: float = 0.1, below_dbfs: float = SILENCE_DBFS) -> list[Span]:
    """When nothing sounds at all, in steps of 20 ms."""
    step = round(STEP_S * rate)
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    quiet = np.sqrt(np.mean(frames**2, axis=1)) < 10 ** (below_dbfs / 20)
    spans = _to_spans(quiet, len(frames) * STEP_S)
    return [span for span in spans if span.length >= at_least]


def is_silent(samples: Samples, below_dbfs: float = SILENCE_DBFS) -> bool:
    return rms_dbfs(samples) < below_dbfs


def tone_gaps(samples: Samples, hz: float, rate: int = RATE, at_least: float = 0.04) -> list[Span]:
    """Breaks between the first and the last sound of a tone: lost audio, a pause, a hold."""
    spans = tone_spans(samples, hz, rate, bridge=at_least)
    return [Span(a.end, b.start) for a, b in pairwise(spans)]


def strongest(samples: Samples, rate: int = RATE, count: int = 3) -> list[tuple[float, float]]:
    """The loudest frequencies as (Hz, dBFS), for failure messages and for pieces whose tones are unknown."""
    if len(samples) < 64:
        return []
    window = np.hanning(len(samples))
    spectrum = 2 * np.abs(np.fft.rfft(samples * window)) / window.sum()
    width = max(1, round(20 * len(samples) / rate))
    found: list[tuple[float, float]] = []
    for _ in range(count):
        peak = int(np.argmax(spectrum))
        if spectrum[peak] < 10 ** (FLOOR_DBFS / 20):
            break
        found.append((round(peak * rate / len(samples), 1), round(dbfs(float(spectrum[peak])), 1)))
        spectrum[max(0, peak - width) : peak + width + 1] = 0
    return found


def describe(samples: Samples, rate: int = RATE) -> str:
    """One line on what a piece sounds like."""
    peaks = ", ".join(f"{hz:g} Hz at {level:g} dBFS" for hz, level in strongest(samples, rate)) or "no tone"
    return f"{len(samples) / rate:.2f} s, {rms_dbfs(samples):.1f} dBFS, {peaks}"


def _presence(samples: Samples, hz: float, rate: int) -> tuple[npt.NDArray[np.bool_], Samples]:
    """Per step of 20 ms: is the tone present, and its amplitude, in the window centred on that step.

    Edges are padded with silence so that the window of the first and last step is centred on them.
    """
    samples, rate = _narrowed(samples, rate) if hz < 3000 else (samples, rate)
    length, step = round(WINDOW_S * rate), round(STEP_S * rate)
    if len(samples) < step:
        return np.zeros(0, dtype=bool), np.zeros(0)
    padded = np.concatenate([np.zeros(length // 2), samples, np.zeros(length)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[step // 2 : len(samples) : step]
    target, around = _bases(hz, rate, length)
    amplitude, floor = np.empty(len(frames)), np.empty(len(frames))
    for start in range(0, len(frames), 500):  # in pieces: an hour of audio must not become gigabytes
        part = slice(start, start + 500)
        amplitude[part] = np.abs(frames[part] @ target)
        floor[part] = np.median(np.abs(frames[part] @ around), axis=1)
    loud = amplitude >= 10 ** (FLOOR_DBFS / 20)
    return loud & (amplitude >= np.maximum(floor, 1e-9) * 10 ** (PROMINENCE_DB / 20)), amplitude


def _narrowed(samples: Samples, rate: int) -> tuple[Samples, int]:
    """The same at 8000 Hz, where the rate is a multiple of it: a wider band costs time and shows no more."""
    factor = rate // RATE
    if rate % RATE or factor == 1 or not len(samples):
        return samples, rate
    taps = np.sinc(np.arange(-16 * factor, 16 * factor + 1) / factor) * np.hanning(32 * factor + 1)
    return np.convolve(samples, taps / taps.sum(), mode="same")[::factor], RATE


@lru_cache(maxsize=256)
def _bases(hz: float, rate: int, length: int) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Windowed complex sines (scaled to give amplitudes): for the tone, and for its neighbourhood."""
    window = np.hanning(length)
    offsets = np.arange(-NEIGHBOURHOOD_HZ, NEIGHBOURHOOD_HZ + 1, 10.0)
    around = [hz + offset for offset in offsets if abs(offset) >= 25 and 30 < hz + offset < rate / 2]
    times = np.arange(length) / rate

    def basis(frequencies: Sequence[float]) -> npt.NDArray[np.complex128]:
        waves = np.exp(-2j * np.pi * np.outer(times, np.asarray(frequencies)))
        return np.asarray(waves * window[:, None] * (2 / window.sum()), dtype=np.complex128)

    return basis([hz])[:, 0], basis(around)


def _grow(seed: npt.NDArray[np.bool_], allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Runs of `allowed` that hold a sure detection: at a tone's edge the window also sees the click of it."""
    grown = np.zeros_like(seed)
    for start, end in _runs(allowed):
        grown[start:end] = seed[start:end].any()
    return grown


def _runs(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from ((int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True))


def _to_spans(flags: npt.NDArray[np.bool_], total: float) -> list[Span]:
    return [Span(start * STEP_S, min(end * STEP_S, total)) for start, end in _runs(flags)]


def _joined(spans: list[Span], bridge: float) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start - joined[-1].end < bridge:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined
