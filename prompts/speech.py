"""The voices: espeak-ng for English, Open JTalk with the HTS voice Mei for Japanese. Both work offline."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable

import numpy as np
import soundfile

from prompts.sound import RATE, Samples, levelled, resampled, trimmed

ESPEAK = ("espeak-ng", "-v", "en-us+f3", "-s", "150", "-p", "45", "-g", "3", "--stdout")


def speak(text: str, language: str) -> Samples:
    """The text as 16 kHz sound, trimmed and levelled. Raises KeyError for a language without a voice."""
    samples, rate = VOICES[language](text)
    return levelled(trimmed(_without_rumble(resampled(samples, rate))))


def _english(text: str) -> tuple[Samples, int]:
    try:
        wav = subprocess.run([*ESPEAK, text], capture_output=True, check=True, timeout=30).stdout
    except FileNotFoundError as error:
        raise SystemExit("English prompts need espeak-ng. Install it: apt-get install espeak-ng") from error
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float64")
    return samples, rate


def _japanese(text: str) -> tuple[Samples, int]:
    try:
        import pyopenjtalk
    except ImportError as error:
        raise SystemExit("Japanese prompts need a voice. Install it: pip install '.[prompts]'") from error
    samples, rate = pyopenjtalk.tts(text, speed=1.05)
    return np.asarray(samples, dtype=np.float64) / 32768, int(rate)


def _without_rumble(samples: Samples) -> Samples:
    """Nothing below 100 Hz, which a telephone would lose anyway and which costs loudness."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum *= np.clip((frequencies - 60) / 60, 0, 1)
    return np.fft.irfft(spectrum, len(samples))


VOICES: dict[str, Callable[[str], tuple[Samples, int]]] = {"en": _english, "ja": _japanese}
