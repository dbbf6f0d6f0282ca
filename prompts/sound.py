"""Sound as the prompts need it: 16 kHz mono floats, levelled, and read and written as G.722.

G.722 (64 kbit/s) is wideband, a quarter of the size of wav, and every Asterisk plays it.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

RATE = 16000
LEVEL_DBFS = -20.0
PEAK_DBFS = -3.0
QUIET_DBFS = -45.0
FRAME = 320  # 20 ms


def write_g722(path: Path, samples: Samples) -> None:
    """Raw G.722, as Asterisk's files of that name are."""
    encoder = av.CodecContext.create("g722", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"
    padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME)])
    pcm = np.clip(np.round(padded * 32767), -32768, 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = RATE
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def read_g722(path: Path) -> Samples:
    decoder = av.CodecContext.create("g722", "r")
    decoder.sample_rate, decoder.layout = RATE, "mono"
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
