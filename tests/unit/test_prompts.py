"""Prompts are measured, found, and put together."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pbx.adapters import core_sounds
from pbx.adapters.asterisk.layout import Layout
from pbx.services.prompts import PACKAGED, Prompts
from prompts.music import MUSIC_TONES
from prompts.sound import RATE, Samples, read_g722, read_ulaw, speech_level_dbfs, write_g722, write_ulaw
from tests.support.tones import make_tone, tone_spans, tones_in

FILES = sorted(PACKAGED.glob("??/*.g722"))
SPOKEN = tomllib.loads((PACKAGED / "texts.toml").read_text())


def test_every_text_is_spoken_in_english_and_japanese():
    for name, texts in SPOKEN.items():
        assert set(texts) == {"en", "ja"}, name
        for language in texts:
            assert (PACKAGED / language / f"{name}.g722").is_file(), f"run: python -m prompts.make {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_no_prompt_is_silent_or_clipped(file: Path):
    sound = read_g722(file)
    assert 0.2 <= len(sound) / RATE <= 12
    assert -25 <= speech_level_dbfs(sound) <= -16
    peak = np.abs(sound).max()
    assert 0.1 < peak < 0.9 and np.mean(np.abs(sound) > 0.98 * peak) < 0.2
    assert np.abs(sound[:160]).max() < 0.05 or file.stem.endswith(("beep", "keys-done", "keys-refused"))


@pytest.mark.parametrize("name", [name for name in SPOKEN if not name.startswith("digit-")])
def test_what_is_spoken_is_speech(name: str):
    """No single frequency carries a prompt, it is as long as its words need, and the languages differ."""
    english, japanese = (read_g722(PACKAGED / tongue / f"{name}.g722") for tongue in ("en", "ja"))
    for sound, text, per_letter in ((english, SPOKEN[name]["en"], 0.05), (japanese, SPOKEN[name]["ja"], 0.1)):
        power = np.abs(np.fft.rfft(sound)) ** 2
        bands = np.add.reduceat(power, np.arange(0, len(power), round(50 * len(sound) / RATE)))
        assert bands.max() < 0.5 * power.sum()
        frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
        assert power[(frequencies > 150) & (frequencies < 3400)].sum() > 0.75 * power.sum()
        assert per_letter * len(text) < len(sound) / RATE < 5 * per_letter * len(text) + 1
    assert len(english) != len(japanese)


def test_the_beep_is_one_tone():
    assert tones_in(read_g722(PACKAGED / "en/beep.g722"), [700, 1000, 1400], RATE) == {1000}


def wideband_music() -> tuple[Samples, int]:
    return read_g722(PACKAGED / "music/hold.g722"), RATE


def narrowband_music() -> tuple[Samples, int]:
    return read_ulaw(PACKAGED / "music/hold.ulaw"), RATE // 2


@pytest.mark.parametrize("kind", [wideband_music, narrowband_music])
def test_music_sounds_without_a_break_and_leaves_the_voices_to_tests(kind: Callable[[], tuple[Samples, int]]):
    music, rate = kind()
    assert len(music) / rate == pytest.approx(32)
    for tone in MUSIC_TONES:
        (span,) = tone_spans(music, tone, rate)
        assert span.length > 31.8
    assert not tones_in(music, range(420, 1800, 20), rate)
    spectrum = np.abs(np.fft.rfft(music)) ** 2
    above = np.fft.rfftfreq(len(music), 1 / rate) > 400
    assert spectrum[above].sum() < 0.001 * spectrum.sum()


@pytest.mark.parametrize("kind", [wideband_music, narrowband_music])
def test_music_loops_without_a_click(kind: Callable[[], tuple[Samples, int]]):
    music, rate = kind()
    twice = np.concatenate([music[-rate:], music[:rate]])
    step = np.abs(np.diff(twice))
    assert step[rate - 40 : rate + 40].max() <= 1.2 * step.max()
    (span,) = tone_spans(twice, MUSIC_TONES[0], rate)
    assert span.length > 1.9


def test_music_is_as_loud_in_each_of_its_formats():
    wide, narrow = wideband_music()[0], narrowband_music()[0]
    assert speech_level_dbfs(wide) == pytest.approx(speech_level_dbfs(narrow), abs=0.5)


def test_what_goes_into_g722_comes_out(tmp_path: Path):
    write_g722(tmp_path / "a.g722", make_tone(440, 1, RATE))
    assert (tmp_path / "a.g722").stat().st_size == 8000
    assert tones_in(read_g722(tmp_path / "a.g722"), [440, 880], RATE) == {440}


def test_what_goes_into_ulaw_comes_out(tmp_path: Path):
    write_ulaw(tmp_path / "a.ulaw", make_tone(440, 1, RATE))
    assert (tmp_path / "a.ulaw").stat().st_size == 8000
    assert tones_in(read_ulaw(tmp_path / "a.ulaw"), [440, 880], RATE // 2) == {440}


def test_the_operators_file_comes_first_and_the_language_before_that(tmp_path: Path):
    own, debian = tmp_path / "own", tmp_path / "debian"
    prompts = Prompts(own, debian)
    assert prompts.uri("unavailable", "ja") == f"sound:{PACKAGED}/ja/unavailable"
    assert prompts.uri("unavailable", "ja-JP") == f"sound:{PACKAGED}/ja/unavailable"
    for folder in (debian, own):
        (folder / "en").mkdir(parents=True)
        (folder / "en" / "unavailable.wav").touch()
        assert prompts.uri("unavailable", "en") == f"sound:{folder}/en/unavailable"
    assert prompts.uri("unavailable", "ja") == f"sound:{PACKAGED}/ja/unavailable"


def test_what_a_language_lacks_is_english(tmp_path: Path):
    prompts = Prompts(tmp_path)
    assert prompts.uri("beep", "ja") == f"sound:{PACKAGED}/en/beep"
    assert prompts.uri("unavailable", "de") == f"sound:{PACKAGED}/en/unavailable"
    assert prompts.uri("unavailable", "../../etc") == f"sound:{PACKAGED}/en/unavailable"


def test_no_name_leads_out_of_the_folders(tmp_path: Path):
    (tmp_path / "en").mkdir()
    (tmp_path / "secret.wav").touch()
    prompts = Prompts(tmp_path)
    assert prompts.find("../secret", "en") is None
    assert prompts.find("unknown", "en") is None
    assert prompts.uri("unknown", "en") == f"sound:{PACKAGED}/en/unknown"


def test_a_recorded_greeting_is_given_by_its_path():
    assert Prompts().uri("/home/x/greeting.wav", "en") == "sound:/home/x/greeting"


def test_music_is_the_operators_where_there_is_some(tmp_path: Path):
    prompts = Prompts(tmp_path)
    assert prompts.music == PACKAGED / "music"
    (tmp_path / "music").mkdir()
    assert prompts.music == PACKAGED / "music"
    (tmp_path / "music" / "waltz.wav").touch()
    assert prompts.music == tmp_path / "music"


@pytest.mark.covers("P2")
def test_the_dialplan_says_what_the_engine_would_say(tmp_path: Path):
    layout, own = Layout(tmp_path / "asterisk"), tmp_path / "own"
    layout.make()
    sounds = layout.base / "data/sounds"
    (sounds / "en").symlink_to(PACKAGED / "en")  # as earlier versions had it
    (own / "en").mkdir(parents=True)
    (own / "en/unreachable.wav").touch()
    layout.link_sounds(Prompts(own))
    assert [path.resolve() for path in sorted(sounds.glob("*/unreachable.*"))] == [
        own / "en/unreachable.wav",
        PACKAGED / "ja/unreachable.g722",
    ]
    assert {path.stem for path in (sounds / "ja").iterdir()} == set(Prompts(own).names()), "English where there is none"
    (own / "en/unreachable.wav").unlink()
    layout.link_sounds(Prompts(own))
    assert [path.resolve() for path in sounds.glob("en/unreachable.*")] == [PACKAGED / "en/unreachable.g722"]


def test_core_sounds_are_joined_and_all_or_none(tmp_path: Path):
    sounds, target = tmp_path / "sounds", tmp_path / "en"
    (sounds / "digits").mkdir(parents=True)
    parts = {part for parts in core_sounds.PARTS.values() for part in parts}
    for part in parts - {"vm-intro"}:
        (sounds / f"{part}.g722").write_bytes(part.encode())
    assert not core_sounds.assemble(sounds, target) and not target.exists()
    (sounds / "vm-intro.g722").write_bytes(b"intro")
    assert core_sounds.assemble(sounds, target)
    joined = (target / "trunk-unreachable.g722").read_bytes()
    assert joined.startswith(b"all-circuits") and joined.endswith(b"call-later") and len(joined) > 1600
    assert set(core_sounds.PARTS) <= set(SPOKEN)


def test_core_sounds_that_cannot_be_had_are_not_sought_at_every_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(core_sounds, "INSTALLED", tmp_path / "nowhere")
    monkeypatch.setattr(core_sounds.shutil, "which", lambda name: None)
    assert core_sounds.wanted(tmp_path)
    assert not core_sounds.provide(tmp_path)
    assert not core_sounds.wanted(tmp_path)
    yesterday = time.time() - core_sounds.ASK_AGAIN_S - 1
    os.utime(tmp_path / "no-core-sounds", (yesterday, yesterday))
    assert core_sounds.wanted(tmp_path)
    assert not core_sounds.wanted(tmp_path / "no such cache") and not core_sounds.provide(tmp_path / "no such cache")


def test_core_sounds_that_are_there_are_not_wanted(tmp_path: Path):
    folder = tmp_path / "prompts" / "en"
    folder.mkdir(parents=True)
    for name in core_sounds.PARTS:
        (folder / f"{name}.g722").touch()
    assert not core_sounds.wanted(tmp_path) and core_sounds.provide(tmp_path)


@pytest.mark.skipif(not core_sounds.INSTALLED.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed")
def test_debians_voice_takes_the_place_of_ours(tmp_path: Path):
    assert core_sounds.provide(tmp_path) and core_sounds.provide(tmp_path)
    prompts = Prompts(tmp_path / "home", tmp_path / "prompts")
    assert prompts.uri("unavailable", "en") == f"sound:{tmp_path}/prompts/en/unavailable"
    for name in core_sounds.PARTS:
        sound = read_g722(tmp_path / "prompts" / "en" / f"{name}.g722")
        assert -25 < speech_level_dbfs(sound) < -10 and len(sound) / RATE > 0.5
