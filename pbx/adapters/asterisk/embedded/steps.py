"""Running a build's commands: output into one log, the last lines into the error."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pbx.adapters.asterisk.embedded.errors import BuildError

# A build started by `make up` must not hand that make's flags to Asterisk's, nor a developer's compiler flags.
_NOT_PASSED_ON = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "DESTDIR")


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands in one directory with one log file."""

    log: Path
    cwd: Path

    def run(
        self,
        what: str,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Run to the end and return the output; raises BuildError naming ``what`` and the log."""
        tail: deque[str] = deque(maxlen=4000)
        with self.log.open("a") as log:
            log.write(f"\n== {what}: {' '.join(argv)[:2000]}\n")
            log.flush()
            process = self._start(argv, cwd or self.cwd)
            try:
                for line in process.stdout or ():
                    log.write(line)
                    tail.append(line.rstrip())
                    if on_line:
                        on_line(line)
                code = process.wait()
            finally:
                _end(process)
        if code:
            raise BuildError(self._sentence(what, list(tail)))
        return "\n".join(tail)

    def note(self, sentence: str) -> None:
        """A line of our own in the log."""
        with self.log.open("a") as log:
            log.write(f"\n== {sentence}\n")

    def _start(self, argv: Sequence[str], cwd: Path) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise BuildError(f"The command “{argv[0]}” is missing: install it and start again.") from error

    def _sentence(self, what: str, tail: list[str]) -> str:
        text = "\n".join(tail)
        if "No space left on device" in text:
            return f"The disk that holds {self.cwd} is full: free 1.5 GB there and start again."
        telling = [line for line in tail if "error" in line.lower() or line.startswith(("E:", "***"))]
        reason = (telling or tail or ["no output"])[-1].strip().rstrip(".")
        return f"Building Asterisk stopped at “{what}” ({reason}): see {self.log}, remedy it and start again."


def environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in env.items() if name not in _NOT_PASSED_ON}
    return kept | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _end(process: subprocess.Popen[str]) -> None:
    """Leave no compiler behind when the build is interrupted."""
    if process.poll() is None:
        process.terminate()
        process.wait()
    if process.stdout:
        process.stdout.close()
