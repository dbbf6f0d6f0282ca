"""Hold music and beeps: our own, made of sines, so that tests can tell music from voices.

The music lasts 32 s and loops without a click: every note's tail runs on over the end into the beginning,
and the drone's frequencies go a whole number of times into the length. A drone of B3 (246.94 Hz) and
E4 (329.63 Hz) sounds at all times; all notes lie below 400 Hz, and nothing above: a test's voice of 400 Hz
or higher is never the music, and `MUSIC_TONES` both present always is.
"""

from __future__ import annotations

import numpy as np

from prompts.sound import RATE, Samples, levelled

MUSIC_TONES = (246.94, 329.63)
LENGTH_S = 32
BEAT_S = 0.5
NOTES = {"E3": 164.81, "F#3": 185.0, "G#3": 207.65, "B3": 246.94, "C#4": 277.18, "E4": 329.63, "F#4": 369.99}
BARS = (
    "E3 B3 E4 F#4 E4 B3 G#3 B3",
    "C#4 E4 F#4 E4 C#4 B3 G#3 B3",
    "F#3 C#4 E4 F#4 E4 C#4 B3 C#4",
    "G#3 B3 E4 F#4 E4 B3 F#3 B3",
    "E3 G#3 B3 E4 F#4 E4 B3 G#3",
    "C#4 F#4 E4 C#4 B3 C#4 G#3 B3",
    "F#3 B3 C#4 F#4 E4 C#4 B3 F#3",
    "E3 B3 E4 B3 G#3 B3 E3 B3",
)


def hold_music() -> Samples:
    total = LENGTH_S * RATE
    music = _drone(total)
    for index, name in enumerate(" ".join(BARS).split()):
        strength = 0.09 if index % 8 == 0 else 0.06
        start = round(index * BEAT_S * RATE)
        _add_round(music, start, strength * _pluck(NOTES[name], start, total))
    return levelled(music, -23.0)


def beep(hz: float = 1000.0, seconds: float = 0.4, level_dbfs: float = -14.0) -> Samples:
    """A tone with soft edges and a breath after it."""
    times = np.arange(round(seconds * RATE)) / RATE
    edge = np.clip(np.minimum(times, seconds - times) / 0.01, 0, 1)
    tone = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * times) * edge
    return np.concatenate([tone, np.zeros(round(0.1 * RATE))])


def rising(first: float, second: float, level_dbfs: float = -20.0) -> Samples:
    """Two short tones, up for yes and down for no: what a phone without a screen is told."""
    return np.concatenate([beep(first, 0.09, level_dbfs)[: round(0.1 * RATE)], beep(second, 0.12, level_dbfs)])


def _drone(total: int) -> Samples:
    """Two steady sines that swell slowly."""
    times = np.arange(total, dtype=np.float64)
    drone = np.zeros(total)
    for tone, swell in zip(MUSIC_TONES, (3, 2), strict=True):
        loudness: Samples = 0.13 * (1 + 0.2 * np.sin(2 * np.pi * swell * times / total))
        drone += loudness * _sine(tone, times, total)
    return drone


def _sine(hz: float, times: Samples, total: int) -> Samples:
    """A sine with a whole number of cycles in the music's length: the seam is silent."""
    return np.sin(2 * np.pi * round(hz * LENGTH_S) * times / total)


def _pluck(hz: float, start: int, total: int, seconds: float = 3.0) -> Samples:
    """A soft struck note, quick to rise, slow to fade.

    It swings in step with the music's own time, so that it strengthens the drone where they share a note; other
    notes get a companion a little apart, which makes them shimmer.
    """
    times = np.arange(round(seconds * RATE)) / RATE
    envelope: Samples = np.clip(times / 0.02, 0, 1) * np.exp(-times / 0.7) * np.clip((seconds - times) / 0.2, 0, 1)
    places: Samples = start + np.arange(len(times), dtype=np.float64)
    shimmer: Samples | float = 0.0 if hz in MUSIC_TONES else 0.5 * np.sin(2 * np.pi * (hz + 0.7) * times)
    return envelope * (_sine(hz, places, total) + shimmer)


def _add_round(music: Samples, start: int, note: Samples) -> None:
    """Add a note; what goes over the end sounds at the beginning."""
    places = (start + np.arange(len(note))) % len(music)
    np.add.at(music, places, note)
