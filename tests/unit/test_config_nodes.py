"""Several Asterisks of one engine, as the configuration names them (A8)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pbx.config import Config, ConfigError


def load(tmp_path: Path, **values: str) -> Config:
    return Config.load({}, home=str(tmp_path), **values)


@pytest.mark.covers("A8")
def test_without_nodes_there_is_one_asterisk_on_this_machine(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.asterisks == {"": config}


@pytest.mark.covers("A8")
def test_each_node_has_a_home_and_an_address_of_its_own_and_the_same_ports_and_database(tmp_path: Path) -> None:
    config = load(tmp_path, nodes="a=127.0.0.2, b=127.0.0.3", edge="127.0.0.9")
    a, b = config.asterisks["a"], config.asterisks["b"]
    assert list(config.asterisks) == ["a", "b"]
    assert (a.home, b.home) == (tmp_path / "nodes" / "a", tmp_path / "nodes" / "b")
    assert (a.sip_host, a.ari_host) == ("127.0.0.2", "127.0.0.2")
    assert (b.sip_port, b.database_url, b.edge) == (config.sip_port, config.database_url, "127.0.0.9")
    assert a.secrets() != b.secrets()
    assert a.asterisks == {"": a}


@pytest.mark.parametrize(
    ("nodes", "edge", "told"),
    [
        ("a", "", "nodes must hold IP addresses, not “”."),
        ("a=here", "", "nodes must hold IP addresses, not “here”."),
        ("A=127.0.0.2", "", "each with a name of its own, not “A=127.0.0.2”."),
        ("a=127.0.0.2,a=127.0.0.3", "", "each with a name of its own, not “a=127.0.0.3”."),
        ("a=127.0.0.2,b=127.0.0.2", "", "Two of the nodes have the same address"),
        ("../a=127.0.0.2", "", "each with a name of its own"),
        ("", "127.0.0.1, there", "edge must hold IP addresses, not “there”."),
    ],
)
@pytest.mark.covers("A8")
def test_what_is_no_list_of_nodes_is_refused_with_a_sentence(tmp_path: Path, nodes: str, edge: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, nodes=nodes, edge=edge)
    assert told in str(refused.value)


def test_secrets_are_made_once_whoever_comes_first(tmp_path: Path) -> None:
    configs = [Config(home=tmp_path, cache=tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda config: config.secrets(), configs))
    assert len(made) == 1
