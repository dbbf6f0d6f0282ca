"""Which file speaks a prompt: the operator's own before Debian's before ours, the language asked for before English.

A name is looked up as ``<folder>/<language>/<name>.<suffix>`` for each folder in turn, afresh each time: a file put
there is heard from the next call on. Asterisk wants the path without its suffix and takes the format that
suits the call.
"""

from __future__ import annotations

import re
from pathlib import Path

SUFFIXES = ("wav", "wav16", "sln16", "sln", "g722", "ulaw", "alaw", "gsm", "opus")
PACKAGED = Path(__file__).resolve().parents[2] / "prompts"
FALLBACK = "en"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class Prompts:
    """Folders in order of preference; what is packaged with the engine is always the last."""

    def __init__(self, *folders: Path, packaged: Path = PACKAGED) -> None:
        self._folders = (*folders, packaged)
        self._packaged = packaged

    def uri(self, name: str, language: str) -> str:
        """The ``sound:`` URI of a prompt, or of a sound given by its absolute path (a recorded greeting).

        A prompt that nobody has is named all the same: Asterisk reports the playback as failed and the call goes on.
        """
        if name.startswith("/"):
            return f"sound:{_without_suffix(Path(name))}"
        found = self.find(name, language)
        return f"sound:{_without_suffix(found) if found else self._packaged / FALLBACK / name}"

    def find(self, name: str, language: str) -> Path | None:
        """The file that speaks the prompt. ``language`` may carry a region (``ja-JP``), which is ignored."""
        if not _NAME.fullmatch(name):
            return None
        spoken = re.split(r"[-_]", language.lower())[0]
        for tongue in dict.fromkeys((spoken, FALLBACK)):
            for folder in self._folders:
                if _NAME.fullmatch(tongue) and (file := _file(folder / tongue, name)):
                    return file
        return None

    @property
    def music(self) -> Path:
        """The folder of music on hold: the operator's, where there is one with a file in it."""
        own = (folder / "music" for folder in self._folders)
        return next((folder for folder in own if _holds_sound(folder)), self._packaged / "music")

    def names(self) -> list[str]:
        """All prompts there are in English, which every language falls back on."""
        found = {file.stem for folder in self._folders for file in _sounds(folder / FALLBACK)}
        return sorted(found)


def _file(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.{suffix}" for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _sounds(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix[1:] in SUFFIXES]


def _holds_sound(folder: Path) -> bool:
    return bool(_sounds(folder))


def _without_suffix(path: Path) -> Path:
    return path.with_suffix("") if path.suffix[1:] in SUFFIXES else path
