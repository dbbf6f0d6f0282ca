"""The files of the project, for the tests that look after the house."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".venv", "var", "build", "dist", "node_modules", "static", "__pycache__"}


def tracked_files() -> list[Path]:
    """What git knows; in an unpacked archive, every file that is not built or downloaded."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
        return [path for path in paths if path.is_file()]
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if not _NOT_OURS & set(path.relative_to(ROOT).parts)]


def tracked_texts() -> dict[str, str]:
    """Name and content of every tracked file that is text."""
    texts = {}
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            texts[str(path.relative_to(ROOT))] = content.decode(errors="replace")
    return texts
