"""Sound as the prompts need it: 16 kHz mono floats, levelled, and read and written as G.722.

G.722 (64 kbit/s) is wideband, a quarter of the size of wav, and every Asterisk plays it. Its decoder must hear some
40 ms before it is as loud as it should be, which a narrowband μ-law file beside it spares those who hear μ-law anyway.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
Codec = Literal["g722", "pcm_mulaw"]

RATE = 16000
LEVEL_DBFS = -20.0
PEAK_DBFS = -3.0
QUIET_DBFS = -45.0
FRAME = 320  # 20 ms


def write_g722(path: Path, samples: Samples) -> None:
    """Raw G.722, as Asterisk's files of that name are."""
    padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME)])
    _write(path, "g722", RATE, padded)


def write_ulaw(path: Path, samples: Samples) -> None:
    """Raw μ-law at 8 kHz, for sound that has nothing above 4 kHz."""
    _write(path, "pcm_mulaw", RATE // 2, samples[::2])


def read_ulaw(path: Path) -> Samples:
    """At 8 kHz."""
    return _read(path, "pcm_mulaw", RATE // 2)


def read_g722(path: Path) -> Samples:
    return _read(path, "g722", RATE)


def _write(path: Path, codec: Codec, rate: int, samples: Samples) -> None:
    encoder = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "s16"
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = rate
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def _read(path: Path, codec: Codec, rate: int) -> Samples:
    decoder = av.CodecContext.create(codec, "r")
    decoder.sample_rate, decoder.layout = rate, "mono"
    frames = [*decoder.decode(av.Packet(path.read_bytes())), *decoder.decode(None)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]) / 32768


def resampled(samples: Samples, rate: int) -> Samples:
    """At 16 kHz, band-limited: the spectrum is cut or continued with nothing."""
    length = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)
    wanted = np.zeros(length // 2 + 1, dtype=complex)
    kept = min(len(wanted), len(spectrum))
    wanted[:kept] = spectrum[:kept]
    return np.fft.irfft(wanted, length) * (length / len(samples))


def speech_level_dbfs(samples: Samples) -> float:
    """RMS of the frames in which something is said."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(frames**2, axis=1)
    spoken = power[power > 10 ** (QUIET_DBFS / 10)]
    return float(10 * np.log10(np.mean(spoken))) if len(spoken) else -180.0


def levelled(samples: Samples, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """Brought to one loudness; peaks above the ceiling are rounded off rather than cut."""
    for _ in range(4):  # rounding peaks off takes some loudness away
        samples = samples * 10 ** ((level_dbfs - speech_level_dbfs(samples)) / 20)
        samples = _rounded_off(samples)
    return samples


def trimmed(samples: Samples, before_s: float = 0.1, after_s: float = 0.25) -> Samples:
    """Without the silence around, but for a breath of it."""
    loud = np.flatnonzero(np.abs(samples) > 10 ** (QUIET_DBFS / 20))
    if not len(loud):
        return samples
    core = samples[loud[0] : loud[-1] + 1]
    return np.concatenate([np.zeros(round(before_s * RATE)), core, np.zeros(round(after_s * RATE))])


def _rounded_off(samples: Samples) -> Samples:
    ceiling, knee = 10 ** (PEAK_DBFS / 20), 10 ** ((PEAK_DBFS - 4) / 20)
    over = np.abs(samples) > knee
    room = ceiling - knee
    bent = np.sign(samples) * (knee + room * np.tanh((np.abs(samples) - knee) / room))
    return np.where(over, bent, samples)
