"""deploy/prepare.sh on machines that lack things: one sentence with the line to paste, and no half environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.house import ROOT

_PROGRAMS = ("sh", "dirname", "mkdir", "cat", "cksum", "id", "grep", "rm", "sleep", "flock", "printf", "sed", "env")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a machine with neither Python nor apt."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found:
            (programs / name).symlink_to(found)
    checkout = tmp_path / "checkout"
    (checkout / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "prepare.sh", checkout / "deploy")
    for name in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    return tmp_path


def program(bare: Path, name: str, script: str) -> None:
    path = bare / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def prepare(bare: Path, what: str = "venv") -> subprocess.CompletedProcess[str]:
    script = bare / "checkout" / "deploy" / "prepare.sh"
    environment = {"PATH": str(bare / "bin"), "HOME": str(bare), "SYSTEM_PYTHON": str(bare / "bin" / "system-python")}
    return subprocess.run([script, what], capture_output=True, text=True, env=environment, check=False, timeout=30)


def test_no_python_and_no_apt_is_one_sentence(bare: Path) -> None:
    done = prepare(bare)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer: install it" in done.stderr
    assert not (bare / "checkout" / ".venv").exists()


def test_an_old_python_is_not_taken(bare: Path) -> None:
    program(bare, "python3", "exit 1  # `sys.exit(sys.version_info < (3, 11))` of a 3.10")
    done = prepare(bare)
    assert done.returncode == 1 and "Python 3.11 or newer" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root would be shown no line to paste")
def test_where_only_root_could_install_python_the_line_is_named(bare: Path) -> None:
    program(bare, "apt-get", "exit 100")
    program(bare, "dpkg-query", "exit 1")
    done = prepare(bare)
    assert done.returncode == 1
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_without_venv_names_its_package(bare: Path) -> None:
    program(bare, "python3", 'case "$2" in *venv*) exit 1 ;; *print*) echo 3.12 ;; esac')
    done = prepare(bare)
    assert done.returncode == 1
    assert "apt-get install python3.12-venv" in done.stderr


def test_packages_that_cannot_be_fetched_are_one_sentence_with_the_log(bare: Path) -> None:
    fake = 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit; fi\n'
    fake += 'case "$*" in *install*) echo "Connection refused"; exit 1 ;; esac'
    (bare / "bin" / "cp").symlink_to(shutil.which("cp") or "")
    program(bare, "python3", fake)
    done = prepare(bare)
    assert done.returncode == 1
    assert "the package index cannot be reached" in done.stderr
    assert not (bare / "checkout" / ".venv" / ".stamp").exists()


def test_a_checkout_that_cannot_be_written_is_said(bare: Path) -> None:
    (bare / "checkout" / "build").write_text("in the way")
    done = prepare(bare)
    assert done.returncode == 1
    assert "build cannot be written" in done.stderr


def test_without_apt_the_tests_tools_are_named_and_nothing_fails(bare: Path) -> None:
    done = prepare(bare, "tools")
    assert done.returncode == 0
    assert "baresip" in done.stderr


def test_the_systems_own_python_goes_before_another_that_stands_first_on_the_path(bare: Path) -> None:
    program(bare, "python3", "echo other >>used")
    program(bare, "system-python", 'case "$*" in *"-m venv"*) echo own >>used; exit 1 ;; esac')
    prepare(bare)
    assert (bare / "checkout" / "used").read_text() == "own\n"
