"""How many bytes the built console sends before it is of use: pages with what they import, packed as the engine sends.

Everything a page loads at once stands in its HTML, and what an import of a chunk brings along stands beside it: Vite
writes the list of files, styles included, into the importing file.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_LINKED = re.compile(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"')
_LISTED = re.compile(r"m\.f\|\|\(m\.f=(\[[^\]]*\])")
_IMPORTED = re.compile(r"""import\([`'"]\./([^`'"]+)[`'"]\)(?:,__vite__mapDeps\(\[([\d,]*)\]\))?""")
_HASH = re.compile(r"-[\w-]{8}\.js$")


def linked(static: Path) -> set[str]:
    """What every page of the console loads before anything else."""
    return set(_LINKED.findall((static / "index.html").read_text()))


def chunks(static: Path) -> Mapping[str, set[str]]:
    """What is loaded when it is needed, by its name, and all that comes with it."""
    found: dict[str, set[str]] = {}
    for file in (static / "assets").glob("*.js"):
        text = file.read_text()
        listed = _LISTED.search(text)
        files = json.loads(listed[1]) if listed else []
        for name, places in _IMPORTED.findall(text):
            along = {files[int(place)] for place in places.split(",") if place}
            found.setdefault(_HASH.sub("", name), set()).update({f"assets/{name}"} | along)
    return found


def weight(static: Path, files: Iterable[str]) -> int:
    """Bytes on the wire."""
    return sum(_packed(static / file) for file in files)


def _packed(file: Path) -> int:
    packed = file.with_name(file.name + ".gz")
    return packed.stat().st_size if packed.is_file() else len(gzip.compress(file.read_bytes(), 9))
