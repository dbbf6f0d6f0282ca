"""Which Asterisk is used: the system's where it is recent, complete and sound, else the one we build.

The system's is put to the self-test once, and again when its binary changes; the verdict is kept in the cache.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.embedded import recipe
from pbx.adapters.asterisk.embedded.builder import runs
from pbx.adapters.asterisk.embedded.errors import BuildError, Progress
from pbx.adapters.asterisk.layout import TEMPLATES, modules_of
from pbx.adapters.asterisk.selftest import Verdict, self_test
from pbx.config import Config

Origin = Literal["system", "embedded"]


@dataclass(frozen=True, slots=True)
class Found:
    """An Asterisk on this machine. ``problem`` says why it is not used; empty where it can be."""

    origin: Origin
    prefix: Path
    version: str
    problem: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What is there, and which one calls go through; ``used`` is None until one is built."""

    used: Found | None
    system: Found | None
    embedded: Found | None


async def status(config: Config) -> Status:
    """Look, testing the system's Asterisk where that has not been done (four seconds, once). Builds nothing."""
    system = await _system(config)
    prefix = await asyncio.to_thread(embedded.built, config.cache)
    ours = _embedded(prefix) if prefix else None
    used = system if system and not system.problem else ours
    return Status(used, system, ours)


async def ensure(config: Config, progress: Progress) -> Path:
    """The prefix of the Asterisk to use, building ours where there is none. Raises BuildError.

    ``progress`` is called from another thread while building.
    """
    system = await _system(config)
    if system and not system.problem:
        return system.prefix
    return await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, progress)


async def build(config: Config, progress: Progress) -> Path:
    """Build ours, also where it stands already or the system's would do. Raises BuildError."""
    return await asyncio.to_thread(embedded.build, config.cache, config.debian_mirror, progress, again=True)


async def _system(config: Config) -> Found | None:
    binary = shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not binary:
        return None
    prefix = _prefix_of(binary)
    version = await asyncio.to_thread(runs, prefix)
    found = Found("system", prefix, recipe.dotted(version) if version else "unknown")
    if version is None or not recipe.is_recent(version):
        return _refused(found, f"it is older than {recipe.dotted(recipe.OLDEST)} or of another series")
    if lacking := _lacking(prefix):
        return _refused(found, f"it lacks {', '.join(lacking[:5])}{' and more' if len(lacking) > 5 else ''}")
    try:
        verdict = await _tested(config.cache / "selftest.json", prefix)
    except BuildError as error:
        return _refused(found, str(error))
    return Found("system", prefix, found.version, "" if verdict.sound else verdict.sentence, verdict)


def _embedded(prefix: Path) -> Found:
    version = runs(prefix)
    return Found("embedded", prefix, recipe.dotted(version) if version else "unknown")


def _refused(found: Found, problem: str) -> Found:
    return Found(found.origin, found.prefix, found.version, problem)


def _lacking(prefix: Path) -> list[str]:
    """Modules that our configuration loads and this Asterisk does not have."""
    lines = (TEMPLATES / "modules.conf").read_text().splitlines()
    wanted = [line.split("=")[1].strip() for line in lines if line.startswith("load")]
    folder = modules_of(prefix)
    return [name.removesuffix(".so") for name in wanted if not (folder / name).exists()]


async def _tested(cache: Path, prefix: Path) -> Verdict:
    """The verdict on this very binary: the kept one, or a new one."""
    key = _binary_key(prefix)
    verdict = _kept(cache, key)
    if verdict is None:
        verdict = await self_test(prefix)
        _keep(cache, key, verdict)
    return verdict


def _binary_key(prefix: Path) -> str:
    state = (prefix / "sbin/asterisk").stat()
    return f"{prefix}:{state.st_mtime_ns}:{state.st_size}"


def _kept(cache: Path, key: str) -> Verdict | None:
    try:
        kept = json.loads(cache.read_text())
        return Verdict(**kept["verdict"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(cache: Path, key: str, verdict: Verdict) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(json.dumps({"key": key, "verdict": asdict(verdict)}))


def _prefix_of(binary: str) -> Path:
    return Path(binary).resolve().parent.parent
