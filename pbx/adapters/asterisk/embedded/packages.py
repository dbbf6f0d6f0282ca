"""The build packages: which are missing, and installing them where this user may."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.embedded.recipe import PACKAGES
from pbx.adapters.asterisk.embedded.steps import Runner, environment


def missing(wanted: Sequence[str] = PACKAGES) -> list[str]:
    """Packages of ``wanted`` that are not installed; raises BuildError where there is no dpkg."""
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        raise BuildError(
            "Asterisk is built on Debian and Ubuntu only: run Switchhook in its container here "
            "(docker compose up), or install Asterisk 22.10.1 or newer yourself."
        )
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
        env=environment(os.environ),
    )
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def install(names: Sequence[str], runner: Runner) -> None:
    """Install by apt as root or by passwordless sudo; else BuildError with the line to paste."""
    line = f"apt-get install -y --no-install-recommends {' '.join(names)}"
    rights = _rights()
    if rights is None:
        how = f"run “sudo {line}”" if shutil.which("sudo") else f"run “{line}” as root"
        raise BuildError(f"Build packages are missing and only root can install them: {how} and start again.")
    command = [*rights, *line.split()]
    try:
        runner.run("installing build packages", command)
    except BuildError:
        # A fresh image has no package lists; refreshing first would cost everybody else seconds.
        runner.run("refreshing the package lists", [*rights, "apt-get", "update"])
        runner.run("installing build packages", command)


def _rights() -> list[str] | None:
    """How this user becomes root without being asked: nothing, sudo, or None for not at all."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"] if asked.returncode == 0 else None
