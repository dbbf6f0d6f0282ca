"""Debian's English core sounds, a human voice, put together into our prompts.

The sounds (package ``asterisk-core-sounds-en-g722``, CC BY-SA 3.0) are no part of this repository. Where the package is
installed it is used as it is; else it is downloaded with the machine's own apt, without rights, into the
cache. Our prompt names and theirs differ, and some of ours are several of theirs: G.722 files are joined byte
by byte, as each begins and ends in silence. What they have no words for stays with our own voice. A machine that
cannot have them is not kept waiting at every start: it asks again a day later.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGE = "asterisk-core-sounds-en-g722"
INSTALLED = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PAUSE = b"\xfa" * 1600  # 200 ms of silence
ASK_AGAIN_S = 86_400

_DIGITS = {f"digit-{digit}": (f"digits/{digit}",) for digit in range(10)}
PARTS: Mapping[str, Sequence[str]] = {
    "unavailable": ("vm-nobodyavail",),
    "not-in-service": ("ss-noservice",),
    "voicemail-default-greeting": ("vm-intro",),
    "voicemail-saved": ("vm-msgsaved",),
    "number-invalid": ("cannot-complete-as-dialed", "check-number-dial-again"),
    "trunk-unreachable": ("all-circuits-busy-now", "please-try-call-later"),
    "connecting": ("one-moment-please",),
    "goodbye": ("vm-goodbye",),
    **_DIGITS,
    "digit-star": ("digits/star",),
    "digit-hash": ("digits/pound",),
}


def wanted(cache: Path) -> bool:
    """They are not there, could be put there, and were not sought in vain within the last day."""
    if _there(cache) or not os.access(cache, os.W_OK):
        return False
    try:
        return abs(time.time() - _in_vain(cache).stat().st_mtime) > ASK_AGAIN_S
    except OSError:
        return True


def provide(cache: Path, timeout_s: float = 60) -> bool:
    """Have the English prompts in ``cache/prompts/en``; False where the sounds cannot be had. Blocks.

    Repeats nothing that is done; a set-up that was cut short begins anew.
    """
    try:
        done = _there(cache) or _provide(cache / "prompts" / "en", timeout_s)
        if not done:
            _in_vain(cache).touch()
    except OSError:
        return False
    return done


def _there(cache: Path) -> bool:
    return all((cache / "prompts" / "en" / f"{name}.g722").exists() for name in PARTS)


def _in_vain(cache: Path) -> Path:
    """A file as old as the last search that found nothing."""
    return cache / "no-core-sounds"


def _provide(target: Path, timeout_s: float) -> bool:
    if INSTALLED.is_dir():
        return assemble(INSTALLED, target)
    with tempfile.TemporaryDirectory(prefix="switchhook-sounds-") as scratch:
        unpacked = _download(Path(scratch), timeout_s)
        return unpacked is not None and assemble(unpacked, target)


def assemble(sounds: Path, target: Path) -> bool:
    """Join the parts of each prompt; all of them, or none where a part is missing."""
    joined: dict[str, bytes] = {}
    for name, parts in PARTS.items():
        files = [sounds / f"{part}.g722" for part in parts]
        if not all(file.is_file() for file in files):
            return False
        joined[name] = PAUSE.join(file.read_bytes() for file in files)
    target.mkdir(parents=True, exist_ok=True)
    for name, sound in joined.items():
        draft = target / f".{name}.new"
        draft.write_bytes(sound)
        draft.replace(target / f"{name}.g722")
    return True


def _download(scratch: Path, timeout_s: float) -> Path | None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    try:
        _run(["apt-get", "download", "-q", PACKAGE], scratch, timeout_s)
        _run(["dpkg-deb", "-x", str(next(scratch.glob("*.deb"))), "unpacked"], scratch, timeout_s)
    except (subprocess.SubprocessError, OSError, StopIteration):
        return None
    sounds = scratch / "unpacked" / INSTALLED.relative_to("/")
    return sounds if sounds.is_dir() else None


def _run(command: list[str], folder: Path, timeout_s: float) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, check=True, timeout=timeout_s, stdin=quiet, stdout=quiet, stderr=quiet)
