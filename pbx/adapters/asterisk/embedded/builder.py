"""From source package to installed prefix, in a scratch directory that is renamed into place when whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pbx.adapters.asterisk.embedded import packages, recipe, source
from pbx.adapters.asterisk.embedded.errors import BuildError, Progress
from pbx.adapters.asterisk.embedded.steps import Runner

_COMPILED_FILES = 520  # lines that `make` prints for this module list; only the progress bar depends on it

# Everything lies in the externals cache, yet configure refuses to go on without a program to download with, and a bare
# machine has none. With this one it goes on, and nothing is ever fetched past the signed source package.
_NO_DOWNLOADS = "WGET=/bin/false"

# Where each step starts on the bar, from measured seconds on two cores.
_AT = {"packages": 0.0, "source": 0.02, "unpack": 0.06, "configure": 0.1, "select": 0.22, "make": 0.26, "install": 0.96}


@dataclass(frozen=True, slots=True)
class Build:
    """One build: where it works, where its result goes, whom it tells."""

    cache: Path
    mirror: str
    progress: Progress
    runner: Runner
    work: Path

    def run(self) -> Path:
        """Build and return the prefix; raises BuildError with a sentence."""
        _require_disk(self.cache)
        self._tell("packages", "Checking the build packages.")
        if names := packages.missing():
            self._tell("packages", f"Installing {len(names)} build packages.")
            packages.install(names, self.runner)
        self._tell("source", "Downloading Asterisk's source.")
        dsc, version = source.fetch(self.work, source.mirror(self.mirror), self.runner)
        prefix = self.cache / f"asterisk-{recipe.dotted(version)}-{recipe.fingerprint()}"
        tree = self._unpack(dsc)
        self._configure(tree, prefix)
        self._compile(tree)
        return self._install(tree, prefix)

    def _tell(self, step: str, sentence: str) -> None:
        self.progress(_AT[step], sentence)

    def _unpack(self, dsc: Path) -> Path:
        self._tell("unpack", "Unpacking and patching.")
        tree = self.work / "tree"
        self.runner.run("unpacking", ["dpkg-source", "--skip-patches", "-x", str(dsc), str(tree)])
        self._apply_patches(tree)
        for folder in ("codecs", "formats", "include"):
            shutil.copytree(tree / "Xopus" / folder, tree / folder, dirs_exist_ok=True)
        for source_file in [*recipe.own_headers(), *recipe.own_sources()]:
            shutil.copy(source_file, tree / "res")
        _pack_pjproject(tree, self.work / "externals", self.runner)
        return tree

    def _apply_patches(self, tree: Path) -> None:
        for patch in [*_series(tree), *recipe.own_patches()]:
            self._patch(tree, patch)
        for patch in recipe.speed_patches():
            if self._fits(tree, patch):
                self._patch(tree, patch)

    def _patch(self, tree: Path, patch: Path, *how: str) -> None:
        self.runner.run(f"patch {patch.name}", ["patch", "-p1", "--batch", *how, "-i", str(patch)], cwd=tree)

    def _fits(self, tree: Path, patch: Path) -> bool:
        try:
            self._patch(tree, patch, "--dry-run", "--forward", "--fuzz=0")  # no place that only looks alike
        except BuildError:
            self.runner.note(f"{patch.name} is left out: this Asterisk has no place for it.")
            return False
        return True

    def _configure(self, tree: Path, prefix: Path) -> None:
        self._tell("configure", "Configuring Asterisk.")
        self.runner.run("bootstrap", ["./bootstrap.sh"], cwd=tree)
        cache = f"--with-externals-cache={self.work / 'externals'}"
        argv = ["./configure", f"--prefix={prefix}", cache, *recipe.CONFIGURE, _NO_DOWNLOADS]
        self.runner.run("configure", argv, cwd=tree)
        self._tell("select", "Choosing the modules.")
        self.runner.run("menuselect", ["make", "menuselect.makeopts"], cwd=tree)
        off = [word for name in recipe.CATEGORIES_OFF for word in ("--disable-category", name)]
        flags = [word for name in recipe.FLAGS_OFF for word in ("--disable", name)]
        on = [word for name in recipe.modules() for word in ("--enable", name)]
        argv = ["menuselect/menuselect", *off, *flags, *on, "menuselect.makeopts"]
        self.runner.run("choosing modules", argv, cwd=tree)

    def _compile(self, tree: Path) -> None:
        self._tell("make", "Compiling Asterisk.")
        jobs = str(len(os.sched_getaffinity(0)))
        self.runner.run("make", ["make", "-j", jobs], cwd=tree, on_line=self._compile_progress())

    def _compile_progress(self) -> Callable[[str], None]:
        start, span, seen = _AT["make"], _AT["install"] - _AT["make"], 0

        def on_line(line: str) -> None:
            nonlocal seen
            if "[" in line:
                seen += 1
                self.progress(start + span * min(1.0, seen / _COMPILED_FILES), "Compiling Asterisk.")

        return on_line

    def _install(self, tree: Path, prefix: Path) -> Path:
        """Install beside the final place and rename: a prefix that exists is whole."""
        self._tell("install", "Installing Asterisk into the cache.")
        stage = self.work / "stage"
        self.runner.run("make install", ["make", "install", f"DESTDIR={stage}"], cwd=tree)
        staged = stage / prefix.relative_to("/")
        (staged / "log").write_bytes(self.runner.log.read_bytes())
        check(staged)
        if prefix.exists():
            shutil.rmtree(prefix)
        staged.rename(prefix)
        self.progress(1.0, "Asterisk is built.")
        return prefix


def check(prefix: Path) -> None:
    """Every wanted module is there and no forbidden one; menuselect leaves modules out silently."""
    there = {path.stem for path in (prefix / "lib/asterisk/modules").glob("*.so")}
    if lacking := sorted(set(recipe.modules()) - there):
        raise BuildError(
            f"Asterisk was built without {', '.join(lacking)}: a development package is missing or too old; "
            f"see {prefix / 'log'}."
        )
    if unwanted := sorted(there & set(recipe.FORBIDDEN)):
        raise BuildError(f"Asterisk was built with {', '.join(unwanted)}, which Switchhook refuses to run.")


def runs(prefix: Path) -> tuple[int, int, int] | None:
    """The version the binary reports, or None where it does not start (a library is gone since)."""
    try:
        answer = subprocess.run(
            [str(prefix / "sbin/asterisk"), "-V"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return recipe.parse_version(answer.stdout)


@contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """A directory to build in, gone afterwards; what an earlier, killed build left goes too."""
    work = cache / "building"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _series(tree: Path) -> list[Path]:
    """Debian's patches in their order, but for those that the recipe leaves out."""
    patches = tree / "debian/patches"
    names = [line.split("#")[0].strip() for line in (patches / "series").read_text().splitlines()]
    return [patches / name for name in names if name and not recipe.is_left_out(name)]


def _pack_pjproject(tree: Path, externals: Path, runner: Runner) -> None:
    """Pack Debian's own pjproject the way the build wants to download it, with its new checksum."""
    [wanted] = (tree / "third-party/pjproject").glob("pjproject-*.tar.bz2.md5")
    name = re.sub(r"\.tar\.bz2\.md5$", "", wanted.name)
    externals.mkdir()
    archive = externals / f"{name}.tar.bz2"
    argv = ["tar", "--transform", f"s,^Xpjproject,{name},S", "--use-compress-program", "bzip2 --fast"]
    runner.run("packing pjproject", [*argv, "-cf", str(archive), "Xpjproject"], cwd=tree)
    digest = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    wanted.write_text(f"{digest}  {archive.name}\n")


def _require_disk(cache: Path) -> None:
    free = shutil.disk_usage(cache).free
    if free < recipe.DISK_NEEDED:
        raise BuildError(
            f"Building Asterisk needs 1.5 GB in {cache} and only {free / 1e9:.1f} GB is free: "
            "free some, or set SWITCHHOOK_CACHE to a directory on a larger disk."
        )
