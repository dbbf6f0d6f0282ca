"""Where one Asterisk instance keeps its files, and the configuration written there from the templates."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.services.prompts import Prompts

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "asterisk-config"
DIALPLANS = ROOT / "dialplans"

_SOCKET_PATH_MAX = 107  # bytes: sockaddr_un.sun_path less its final zero
_LANGUAGES = ("en", "ja")
_OF_LINES = {"nat", "ice", "own_modules", "engine_permits", "system_name"}
"""Values that are whole lines, made and checked by us."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The directories of one instance; all of them its own, so that several run side by side."""

    base: Path

    @property
    def etc(self) -> Path:
        return self.base / "etc"

    @property
    def log(self) -> Path:
        return self.base / "log"

    @property
    def conf(self) -> Path:
        return self.etc / "asterisk.conf"

    @property
    def run(self) -> Path:
        """The control socket's directory: a short one of our own where the home's path is too long for a socket."""
        here = self.base / "run"
        if len(os.fsencode(here / "asterisk.ctl")) <= _SOCKET_PATH_MAX:
            return here
        name = hashlib.sha256(os.fsencode(self.base)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"switchhook-{os.getuid()}-{name}"

    @property
    def socket(self) -> Path:
        return self.run / "asterisk.ctl"

    def make(self) -> None:
        """Create what is missing, for the owner only. Raises BuildError where somebody else got there first."""
        for folder in (
            "etc",
            "lib",
            "lib/keys",
            "spool",
            "spool/recording",
            "spool/texts",
            "log",
            "data",
            "data/sounds",
        ):
            (self.base / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = self.run.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
            raise BuildError(
                f"{self.run} belongs to somebody else: remove it, or set SWITCHHOOK_HOME to a shorter path."
            )

    def link_sounds(self, prompts: Prompts) -> None:
        """For the dialplan, which says them while the engine is away: of each prompt the file that the engine plays."""
        for language in _LANGUAGES:
            folder = self.base / "data/sounds" / language
            if folder.is_symlink():
                folder.unlink()
            folder.mkdir(exist_ok=True)
            found = [file for name in prompts.names() if (file := prompts.find(name, language)) is not None]
            _link(folder, {file.name: file for file in found})

    def values(self, prefix: Path) -> dict[str, str]:
        """What ``asterisk.conf``'s template needs."""
        folders = {name: str(self.base / name) for name in ("etc", "lib", "data", "spool", "log")}
        modules = modules_of(prefix)
        alone = {"engine_permits": "", "system_name": ""}  # see NodeAsterisk
        return folders | alone | {"run": str(self.run), "modules_dir": str(modules), "sbin": str(prefix / "sbin")}


def _link(folder: Path, targets: Mapping[str, Path]) -> None:
    """These links and no others."""
    for link in folder.iterdir():
        if targets.get(link.name) != link.readlink():
            link.unlink()
    for name, target in targets.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)


def modules_of(prefix: Path) -> Path:
    """Where an Asterisk's modules lie; Debian puts its own under the machine's architecture."""
    found = [prefix / "lib/asterisk/modules", *sorted((prefix / "lib").glob("*/asterisk/modules"))]
    return next((path for path in found if path.is_dir()), found[0])


def render(template: Path, values: Mapping[str, str]) -> str:
    """Fill a template; a value that could start a line or a section of its own is refused."""
    for name, value in values.items():
        if name not in _OF_LINES and any(mark in value for mark in "\n\r;"):
            raise BuildError(
                f"The setting {name} may hold neither line breaks nor semicolons: correct it and start again."
            )
    return Template(template.read_text()).substitute(values)


def write_changed(path: Path, text: str, mode: int = 0o600) -> bool:
    """Write a file whole and rename it into place, only where its text differs; True where it did."""
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True
