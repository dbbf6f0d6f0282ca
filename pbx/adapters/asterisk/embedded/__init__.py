"""The embedded Asterisk: built once from Debian's source without the patch that loses sound.

``ensure`` gives the prefix, building where it must; ``built`` only looks. Two builders at once are
kept apart by a lock on a file in the cache directory: the second waits and takes what the first made.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pbx.adapters.asterisk.embedded import recipe
from pbx.adapters.asterisk.embedded.builder import Build, runs, scratch
from pbx.adapters.asterisk.embedded.errors import BuildError, Progress
from pbx.adapters.asterisk.embedded.steps import Runner

__all__ = ["BuildError", "Progress", "build", "built", "ensure", "is_ours"]

_LOOK_AGAIN_S = 0.5


def built(cache: Path) -> Path | None:
    """The newest prefix built by this recipe that still starts on this machine, or None."""
    found = [
        (version, path)
        for path in cache.glob(f"asterisk-*-{recipe.fingerprint()}")
        if recipe.is_recent(version := runs(path))
    ]
    return max(found)[1] if found else None


def is_ours(prefix: Path) -> bool:
    """Built by this recipe, with our own hardening."""
    return prefix.name.endswith(f"-{recipe.fingerprint()}")


def ensure(cache: Path, mirror: str, progress: Progress) -> Path:
    """The prefix of a built Asterisk, building it first where there is none.

    Takes three to five minutes on two cores the first time, milliseconds afterwards; blocks, so run it in a
    thread from async code. Raises BuildError.
    """
    return built(cache) or build(cache, mirror, progress)


def build(cache: Path, mirror: str, progress: Progress, *, again: bool = False) -> Path:
    """Build and return the prefix; unless ``again``, what another process built meanwhile is taken."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _lock(cache / "asterisk.lock", progress):
            prefix = None if again else built(cache)
            return prefix or _build(cache, mirror, progress)
    except OSError as error:
        raise BuildError(
            f"The cache directory {cache} cannot be used ({error.strerror or error}): make room and check its owner, "
            "or set SWITCHHOOK_CACHE to another directory."
        ) from error


def _build(cache: Path, mirror: str, progress: Progress) -> Path:
    log = cache / "asterisk-build.log"
    log.write_text("")
    with scratch(cache) as work:
        return Build(cache, mirror, progress, Runner(log, work), work).run()


@contextmanager
def _lock(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the builder's lock; it falls with the process, so a killed builder blocks nobody."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(0.0, "Another process is building Asterisk: waiting for it.")
                time.sleep(_LOOK_AGAIN_S)
        yield
