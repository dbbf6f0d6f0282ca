"""Make every prompt anew from texts.toml: `python -m prompts.make [name ...]`.

The results are committed, as making them needs voices that a machine that only runs the engine does not.
Credits of the voices stand in README.md of this folder.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from prompts.music import beep, hold_music, rising
from prompts.sound import Samples, speech_level_dbfs, write_g722, write_ulaw
from prompts.speech import speak

FOLDER = Path(__file__).parent


def texts() -> dict[str, dict[str, str]]:
    """Prompt name to language to what is said."""
    return tomllib.loads((FOLDER / "texts.toml").read_text())


def main(names: list[str]) -> None:
    for name, spoken in texts().items():
        for language, text in spoken.items():
            if not names or name in names:
                _save(f"{language}/{name}", speak(text, language))
    sounds = {
        "en/beep": beep,
        "en/recording-beep": lambda: beep(1400.0, 0.2, -20.0),
        "en/keys-done": lambda: rising(660.0, 880.0),
        "en/keys-refused": lambda: rising(440.0, 330.0),
        "music/hold": hold_music,
    }
    for path, make in sounds.items():
        if not names or Path(path).name in names:
            _save(path, make())
    if not names or "hold" in names:
        write_ulaw(FOLDER / "music/hold.ulaw", hold_music())  # most who are held hear it as it is


def _save(path: str, samples: Samples) -> None:
    write_g722(FOLDER / f"{path}.g722", samples)
    print(f"{path:32} {len(samples) / 16000:5.1f} s {speech_level_dbfs(samples):6.1f} dBFS")


if __name__ == "__main__":
    main(sys.argv[1:])
