"""Rules about the files themselves: their length, and what must not stand in a public repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.support.house import tracked_texts

LONGEST = 500
HOME_DIRECTORY = re.compile(r"(?<![\w.])/(?:" + "ro" + r"ot|home/[a-z][\w-]+|Users/\w+)/\S")
LOCK_FILES = ("constraints.txt", "package-lock.json")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return tracked_texts()


def test_no_source_file_is_two_things_in_one(texts: dict[str, str]) -> None:
    sources = {name: text for name, text in texts.items() if name.endswith((".py", ".ts", ".svelte", ".sh"))}
    long = {name: text.count("\n") for name, text in sources.items() if text.count("\n") > LONGEST}
    assert not long, f"Split these files by what they do: {long}"


def test_no_path_of_somebodys_machine_stands_in_the_repository(texts: dict[str, str]) -> None:
    found = [f"{name}: {match[0]}" for name, text in texts.items() for match in HOME_DIRECTORY.finditer(text)]
    assert not found


def test_locked_dependencies_name_no_download_address(texts: dict[str, str]) -> None:
    locks = {name: text for name, text in texts.items() if name.rsplit("/", 1)[-1] in LOCK_FILES}
    assert "constraints.txt" in locks
    for name, text in locks.items():
        assert "://" not in text, f"{name} names an address"
        assert not re.search(r"^\s*-(i|f|-\w*index\w*|-find-links|-trusted-host)\b", text, re.MULTILINE), name


def test_every_locked_package_has_hashes(texts: dict[str, str]) -> None:
    entries = re.split(r"^(?=[a-z0-9])", texts["constraints.txt"], flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_package_registry_of_this_machine_stands_in_the_repository(texts: dict[str, str]) -> None:
    hosts = _configured_hosts() - {"localhost", "127.0.0.1"}
    found = [f"{name} names {host}" for name, text in texts.items() for host in hosts if host in text]
    assert not found


def _configured_hosts() -> set[str]:
    """Where pip, npm and apt of this machine download from."""
    commands = (
        ["pip", "config", "get", "global.index-url"],
        ["npm", "config", "get", "registry"],
        ["apt-get", "indextargets", "--format", "$(SITE)"],
    )
    hosts = {
        urlsplit(line if "://" in line else f"//{line}").hostname for argv in commands for line in _output(argv).split()
    }
    return {host for host in hosts if host and "." in host}


def _output(argv: list[str]) -> str:
    if not shutil.which(argv[0]):
        return ""
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30).stdout
