"""The measuring instrument is measured first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.tones import (
    has_tone,
    is_silent,
    make_silence,
    make_tone,
    read_sound,
    rms_dbfs,
    silences,
    strongest,
    tone_gaps,
    tone_level_dbfs,
    tone_spans,
    tones_in,
    write_sound,
)


def test_a_tone_is_found_and_no_other():
    sound = make_tone(440, 1)
    assert tones_in(sound, [400, 420, 440, 460, 480, 880]) == {440}


def test_two_voices_forty_hertz_apart_are_heard_and_not_the_one_between():
    sound = make_tone(600, 1) + make_tone(640, 1)
    assert tones_in(sound, [560, 600, 640, 680]) == {600, 640}


def test_the_span_of_a_tone_is_right_to_thirty_milliseconds():
    sound = np.concatenate([make_silence(0.5), make_tone(700, 1.25), make_silence(0.7)])
    (span,) = tone_spans(sound, 700)
    assert span.start == pytest.approx(0.5, abs=0.03)
    assert span.end == pytest.approx(1.75, abs=0.03)


def test_a_tone_under_another_keeps_its_own_span():
    sound = np.concatenate([make_tone(500, 1), make_tone(500, 1) + make_tone(900, 1), make_tone(500, 1)])
    (span,) = tone_spans(sound, 900)
    assert (span.start, span.end) == pytest.approx((1.0, 2.0), abs=0.03)
    assert len(tone_spans(sound, 500)) == 1


def test_a_gap_in_a_tone_is_found():
    sound = np.concatenate([make_tone(500, 1), make_silence(0.2), make_tone(500, 1)])
    (gap,) = tone_gaps(sound, 500)
    assert gap.length == pytest.approx(0.2, abs=0.04)


def test_noise_and_silence_hold_no_tone():
    noise = np.random.default_rng(1).normal(0, 0.1, 16000)
    assert not tones_in(noise, range(300, 1000, 20))
    assert not tones_in(make_silence(1), [440])
    assert is_silent(make_silence(1))


def test_silences_are_listed():
    sound = np.concatenate([make_tone(500, 0.5), make_silence(0.4), make_tone(500, 0.5)])
    (span,) = silences(sound)
    assert (span.start, span.end) == pytest.approx((0.5, 0.9), abs=0.021)


def test_levels_are_in_dbfs():
    sound = make_tone(440, 1, level_dbfs=-20)
    assert tone_level_dbfs(sound, 440) == pytest.approx(-20, abs=0.2)
    assert rms_dbfs(sound) == pytest.approx(-23, abs=0.2)
    assert strongest(sound)[0][0] == pytest.approx(440, abs=2)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.opus"])
def test_files_are_read_with_their_channels(tmp_path: Path, name: str):
    rate = 48000
    stereo = np.stack([make_tone(440, 1, rate), make_tone(880, 1, rate)], axis=1)
    write_sound(tmp_path / name, stereo, rate)
    sound = read_sound(tmp_path / name)
    assert (sound.count, sound.rate) == (2, rate)
    assert sound.seconds == pytest.approx(1, abs=0.05)
    assert has_tone(sound.channel(0), 440, rate) and not has_tone(sound.channel(0), 880, rate)
    assert has_tone(sound.channel(1), 880, rate) and tones_in(sound.mono, [440, 880], rate) == {440, 880}


def test_raw_files_are_read_by_their_suffix(tmp_path: Path):
    (tmp_path / "a.sln16").write_bytes((make_tone(440, 1, 16000) * 32767).astype("<i2").tobytes())
    assert has_tone(read_sound(tmp_path / "a.sln16").mono, 440, 16000)
