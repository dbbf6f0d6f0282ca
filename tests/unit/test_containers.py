"""The container files: what docker-compose makes of them, and that no secret stands in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.house import ROOT

COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def compose() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    found = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    if not found or found.returncode:
        pytest.skip("docker-compose is not on this machine")
    return ["docker", "compose"]


def understood(compose: list[str], *options: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHHOOK_")}
    done = subprocess.run(
        [*compose, "-f", str(COMPOSE), *options, "config"], capture_output=True, text=True, env=clean, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.covers("A8")
def test_docker_compose_understands_the_file(compose: list[str]) -> None:
    profiles = [word for name in ("postgres", "practice", "machines", "edge") for word in ("--profile", name)]
    text = understood(compose, *profiles)
    for service in ("asterisk", "engine", "postgres", "practice", "node", "standby", "edge"):
        assert re.search(rf"^  {service}:$", text, re.MULTILINE), service
    assert text.count("healthcheck:") == 3
    # Counted inside the services: Compose 2 prints the shared part of the file once more, by itself.
    assert len(re.findall(r"^    network_mode: host$", text, re.MULTILINE)) == 6


def test_no_secret_stands_in_the_container_files() -> None:
    text = COMPOSE.read_text()
    for name, value in re.findall(r"(\w*(?:PASSWORD|SECRET|TOKEN|DATABASE_URL)\w*):\s*(.+)", text):
        assert value.startswith("${") and value.endswith(":-}"), f"{name} must come from .env"
    assert "\n.env\n" in (ROOT / ".gitignore").read_text()
    assert "\n.env\n" in (ROOT / ".dockerignore").read_text()


def test_the_image_is_made_with_the_steps_of_a_bare_machine() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "make venv" in text and "asterisk build" in text
    assert "pip install" not in text


def test_container_secrets_are_generated_for_their_owner_only(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy" / "container-env.sh", tmp_path / "deploy")
    subprocess.run([script], check=True, capture_output=True)
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o077 == 0
    password = re.search(r"POSTGRES_PASSWORD=(\S+)", made.read_text())
    assert password is not None and len(password[1]) >= 20
    assert subprocess.run([script], check=False, capture_output=True).returncode == 1
