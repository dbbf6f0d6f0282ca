"""Fetching Debian's source package of Asterisk, without touching the machine's own apt.

State, lists and archives lie in a private directory; the signature of the archive is checked against Debian's
keyring, the expiry of its index is not (a mirror that is a day late is still signed).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from pbx.adapters.asterisk.embedded import recipe
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.embedded.steps import Runner, environment

_KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
_FIELDS = "$(ORIGIN)|$(LABEL)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)"
_HOOKS = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")


def mirror(setting: str) -> str:
    """The Debian mirror to use: the setting, or the one this machine's apt uses."""
    if setting:
        return _checked(setting)
    found = _mirror_of_apt() if _os_id() == "debian" else None
    if not found:
        raise BuildError(
            "No Debian mirror is known here, and Asterisk is built from Debian's source package: set debian_mirror "
            "in config.toml or SWITCHHOOK_DEBIAN_MIRROR to the address of one (http://…/debian)."
        )
    return found


def fetch(work: Path, address: str, runner: Runner) -> tuple[Path, tuple[int, int, int]]:
    """Download the newest usable source package into ``work``; its .dsc and upstream version."""
    config = _private_apt(work, address)
    try:
        runner.run("reading the mirror's list of sources", ["apt-get", "-c", str(config), "update", "--error-on=any"])
    except BuildError as error:
        raise BuildError(_unreachable(address, error)) from error
    known = runner.run("choosing the version", ["apt-cache", "-c", str(config), "showsrc", "asterisk"])
    debian = newest(known)
    if debian is None:
        raise BuildError(
            f"The mirror {address} has no Asterisk {recipe.dotted(recipe.OLDEST)} or newer in its suite "
            f"“{recipe.SUITE}”: set SWITCHHOOK_DEBIAN_MIRROR to one that is up to date."
        )
    argv = ["apt-get", "-c", str(config), "source", "--download-only", "--only-source", f"asterisk={debian}"]
    runner.run("downloading the source", argv, cwd=work)
    version = recipe.parse_version(debian)
    assert version is not None
    return next(work.glob("asterisk_*.dsc")), version


def newest(showsrc: str) -> str | None:
    """The newest Debian version of the supported major in ``apt-cache showsrc``'s answer."""
    versions = re.findall(r"^Version: (\S+)$", showsrc, re.MULTILINE)
    ranked = [(parsed, text) for text in versions if recipe.is_recent(parsed := recipe.parse_version(text))]
    return max(ranked, key=lambda pair: pair[0] or ())[1] if ranked else None


def _private_apt(work: Path, address: str) -> Path:
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    sources = work / "sources.list"
    sources.write_text(f"deb-src [signed-by={_keyring()}] {address} {recipe.SUITE} main\n")
    settings = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": work,
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work,
        "Dir::Cache::Archives": work / "archives",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "Acquire::PDiffs": "false",
        "Acquire::Retries": "3",
        # root's apt would drop to a user that cannot write into root's cache directory
        "APT::Sandbox::User": "root",
    }
    path = work / "apt.conf"
    # The machine's hooks (appstream, docker-clean) belong to its own lists and need root.
    lines = [f"#clear {hook};" for hook in _HOOKS] + [f'{name} "{value}";' for name, value in settings.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def _keyring() -> Path:
    for name in _KEYRINGS:
        path = Path("/usr/share/keyrings") / name
        if path.exists():
            return path
    raise BuildError("Debian's keys are missing: install the package debian-archive-keyring and start again.")


def _checked(setting: str) -> str:
    if not re.fullmatch(r"(https?|file|mirror\+file|mirror\+https?)://?[^\s\[\]\"']+", setting):
        raise BuildError(f"debian_mirror must be an address such as http://…/debian, not “{setting}”.")
    return setting


def _mirror_of_apt() -> str | None:
    """The first repository of the machine that is Debian's own and not its security archive.

    A fresh image has no downloaded lists; then only the suite's name tells what a repository is.
    """
    for origin, label, _, _, uri in _targets():
        if origin == label == "Debian":
            return uri
    suites = {_os_field("VERSION_CODENAME"), "stable", "testing", "unstable", "sid", "trixie", recipe.SUITE}
    for _, _, release, component, uri in _targets("--no-release-info"):
        if release in suites and component == "main":
            return uri
    return None


def _targets(*options: str) -> list[list[str]]:
    try:
        answer = subprocess.run(
            ["apt-get", "indextargets", *options, "--format", _FIELDS],
            capture_output=True,
            text=True,
            check=False,
            env=environment(os.environ),
        )
    except FileNotFoundError:
        return []
    rows = [line.split("|") for line in answer.stdout.splitlines()]
    return [row for row in rows if len(row) == 5]


def _os_id() -> str:
    return _os_field("ID")


def _os_field(name: str) -> str:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return ""
    found = re.search(rf'^{name}="?([^"\n]*)"?$', text, re.MULTILINE)
    return found[1] if found else ""


def _unreachable(address: str, error: BuildError) -> str:
    if "NO_PUBKEY" in str(error) or "not signed" in str(error):
        return (
            f"The mirror {address} is signed with a key that this machine does not know: install a newer "
            "debian-archive-keyring and start again (Debian's own package does on every release: it lies in "
            f"{address.rstrip('/')}/pool/main/d/debian-archive-keyring)."
        )
    return (
        f"The Debian mirror {address} cannot be used: check the network, or set SWITCHHOOK_DEBIAN_MIRROR "
        f"to another. {error}"
    )
