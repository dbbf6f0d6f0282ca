"""G.711 (ITU-T G.711): mu-law and A-law to and from float samples, by tables."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tests.support.tones import Samples


@lru_cache(maxsize=2)
def _decoding_table(codec: str) -> Samples:
    codes = np.arange(256)
    if codec == "PCMU":
        inverted = ~codes & 0xFF
        magnitude = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
        values = np.where(inverted & 0x80, -magnitude, magnitude)
    else:
        flipped = codes ^ 0x55
        segment, mantissa = (flipped & 0x70) >> 4, (flipped & 0x0F) << 4
        magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
        values = np.where(flipped & 0x80, magnitude, -magnitude)
    return values.astype(np.float64) / 32768


@lru_cache(maxsize=2)
def _encoding_table(codec: str) -> npt.NDArray[np.uint8]:
    """The nearest code of each 16-bit value, 65,536 of them."""
    table = _decoding_table(codec)
    order = np.argsort(table, kind="stable")
    ascending = table[order]
    values = np.arange(-32768, 32768) / 32768
    right = np.clip(np.searchsorted(ascending, values), 1, 255)
    nearer_left = values - ascending[right - 1] <= ascending[right] - values
    codes = order[np.where(nearer_left, right - 1, right)].astype(np.uint8)
    codes[32768] = 0xFF if codec == "PCMU" else 0xD5  # silence has two codes; the positive one is the usual
    return codes


def encode(samples: Samples, codec: str) -> bytes:
    """Float samples to `PCMU` or `PCMA`."""
    values = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int64) + 32768
    return _encoding_table(codec)[values].tobytes()


def decode(payload: bytes, codec: str) -> Samples:
    return np.asarray(_decoding_table(codec)[np.frombuffer(payload, dtype=np.uint8)], dtype=np.float64)
