"""What is written for an Asterisk that is one of several: where it listens, whom it lets in, what it is called (A8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.adapters.asterisk.node import NodeAsterisk
from pbx.config import Config

pytestmark = pytest.mark.covers("A8")


def written(asterisk: EngineAsterisk, name: str) -> str:
    asterisk.render()
    return (asterisk.layout.etc / name).read_text()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.load({}, home=tmp_path / "home", cache=tmp_path / "cache", nodes="a=10.0.0.11, b=fd00::12")


def test_the_engine_may_come_from_each_of_the_machines_and_nobody_else(config: Config, tmp_path: Path) -> None:
    node = NodeAsterisk(config, "a", tmp_path)
    manager = written(node, "manager.conf")
    assert "bindaddr = 10.0.0.11\n" in manager and "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\n" in manager
    assert manager.count("permit = 10.0.0.11/32\npermit = fd00::12/128\n") == 2
    assert "permit = fd00::12/128\n" in written(node, "acl.conf")
    assert "bindaddr = 10.0.0.11\n" in written(node, "http.conf")


def test_its_channels_are_named_after_it_and_its_addresses_are_its_own(config: Config, tmp_path: Path) -> None:
    node = NodeAsterisk(config, "b", tmp_path)
    assert "systemname = b\n" in written(node, "asterisk.conf")
    assert "bind = [fd00::12]:5060\n" in written(node, "pjsip.conf")
    assert node.layout.base == config.home / "nodes/b/asterisk"
    assert {host for _, host, _, _ in node.ports()} == {"fd00::12"}


def test_all_nodes_have_the_secrets_of_the_house(config: Config, tmp_path: Path) -> None:
    secret = f"password = {config.secrets().ari}\n"
    assert all(secret in written(NodeAsterisk(config, name, tmp_path), "ari.conf") for name in ("a", "b"))


def test_one_that_is_alone_lets_in_this_machine_only(tmp_path: Path) -> None:
    alone = EngineAsterisk(Config.load({}, home=tmp_path / "home", cache=tmp_path / "cache"), tmp_path)
    manager = written(alone, "manager.conf")
    assert "bindaddr = 127.0.0.1\n" in manager
    permits = [line for line in manager.splitlines() if line.startswith("permit")]
    assert permits == ["permit = 127.0.0.1/255.255.255.255"] * 2
    assert "systemname" not in written(alone, "asterisk.conf")
