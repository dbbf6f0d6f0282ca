"""What a node is told of the edge before it, and what the edge is told of its nodes."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pbx.adapters import kamailio
from pbx.adapters.asterisk.edge import Edge, edge_of, machines_of, names, render_edge, spelled
from pbx.adapters.asterisk.presence import address_of
from pbx.adapters.asterisk.provision import render
from pbx.config import Config, ConfigError
from pbx.services.ports_provision import ProvisionError, Provisioning, Trunk

EDGE = Edge(("10.0.0.9",), ("10.0.0.11", "10.0.0.12"), "KEY")
TRUNK = Trunk("tr_01abc", "address", "carrier.example")

pytestmark = pytest.mark.covers("A8")


def matched(trunk: Trunk, header: str, addresses: dict[str, list[str]] | None = None) -> bool:
    """As Asterisk does: a regular expression (POSIX, extended) searched in the header."""
    text = render_edge(EDGE, [trunk], addresses or {})
    found = re.search(rf"^\[{trunk.id}-by-edge\]\n.*\n.*\nmatch_header = X-Switchhook-Source: /(.*)/$", text, re.M)
    return found is not None and re.search(found[1], header) is not None


@pytest.mark.parametrize(
    ("match", "inside", "outside"),
    [
        ("192.0.2.1", ["192.0.2.1 5060 KEY", "192.0.2.1 9 KEY"], ["192.0.2.11 5060 KEY", "192a0.2.1 5060 KEY"]),
        ("192.0.2.1:5070", ["192.0.2.1 5070 KEY"], ["192.0.2.1 5060 KEY", "192.0.2.1 50700 KEY"]),
        ("198.51.100.0/24", ["198.51.100.7 1 KEY"], ["198.51.101.7 1 KEY", "198.51.100.7.9 1 KEY"]),
        ("10.16.0.0/12", ["10.16.0.1 1 KEY", "10.31.255.9 1 KEY"], ["10.32.0.1 1 KEY", "10.1.6.0 1 KEY"]),
        ("192.0.2.8/30", ["192.0.2.8 1 KEY", "192.0.2.11 1 KEY"], ["192.0.2.12 1 KEY", "192.0.2.1 1 KEY"]),
        ("2001:db8::7", ["2001:db8:0:0:0:0:0:7 5060 KEY"], ["2001:db8:0:0:0:0:0:71 5060 KEY"]),
        ("2001:db8::/32", ["2001:db8:9:0:0:0:0:7 5060 KEY"], ["2001:db80:9:0:0:0:0:7 5060 KEY"]),
    ],
)
def test_a_carrier_is_known_by_the_address_that_the_edge_tells(
    match: str, inside: list[str], outside: list[str]
) -> None:
    trunk = replace(TRUNK, match_addresses=(match,))
    assert all(matched(trunk, each) for each in inside)
    assert not any(matched(trunk, each) for each in outside)
    assert not any(matched(trunk, each.replace("KEY", "KEYS")) for each in inside)
    assert not any(matched(trunk, each.replace("KEY", "")) for each in inside)


def test_a_carrier_that_has_a_name_is_known_by_the_addresses_that_it_leads_to() -> None:
    places = {"carrier.example": ["192.0.2.5", "192.0.2.6"]}
    assert names([TRUNK]) == {"carrier.example"}
    assert matched(TRUNK, "192.0.2.6 5060 KEY", places) and not matched(TRUNK, "192.0.2.7 5060 KEY", places)
    assert not matched(TRUNK, "192.0.2.6 5060 KEY"), "a name that leads nowhere is nobody's"


def test_one_that_registers_is_known_by_its_registration_alone() -> None:
    assert "by-edge" not in render_edge(EDGE, [replace(TRUNK, mode="registration")], {})


def test_a_node_hears_the_edge_nodes_carriers_and_this_machine_only() -> None:
    trunk = replace(TRUNK, match_addresses=("198.51.100.0/24", "192.0.2.1:5070"))
    text = render_edge(EDGE, [trunk], {"carrier.example": ["192.0.2.5"]})
    assert re.findall(r"permit = (.*)", text) == [
        "127.0.0.1/32", "::1/128", "10.0.0.9/32", "10.0.0.11/32", "10.0.0.12/32",
        "192.0.2.5/32", "198.51.100.0/24", "192.0.2.1/32",
    ]  # fmt: skip
    assert text.index("deny = 0.0.0.0/0.0.0.0") < text.index("permit")


def test_a_network_that_cannot_be_told_apart_is_refused_with_a_sentence() -> None:
    with pytest.raises(ProvisionError, match="multiple of 16"):
        render_edge(EDGE, [replace(TRUNK, match_addresses=("2001:db8::/33",))], {})


def test_without_an_edge_nothing_of_it_is_written() -> None:
    wanted = Provisioning(trunks=[TRUNK])
    assert "edge" not in render(wanted)["pjsip_trunks.conf"]
    assert "[edge-only]" in render(wanted, EDGE, {})["pjsip_trunks.conf"]


def test_addresses_are_written_as_kamailio_writes_them() -> None:
    assert (spelled("10.0.0.1"), spelled("fe80::0a:1")) == ("10.0.0.1", "fe80:0:0:0:0:0:a:1")


def load(tmp_path: Path, edge: str) -> Config:
    return Config.load({}, home=str(tmp_path), nodes="a=127.0.0.2, b=127.0.0.3", edge=edge)


def test_kamailio_takes_what_is_written(tmp_path: Path) -> None:
    config = load(tmp_path, "127.0.0.8, 127.0.0.9")
    with pytest.raises(ConfigError, match="Say which edge this is"):
        kamailio.write_edge(config, tmp_path / "edge")
    with pytest.raises(ConfigError, match="is no edge"):
        kamailio.write_edge(config, tmp_path / "edge", "127.0.0.7")
    file = kamailio.write_edge(config, tmp_path / "edge", "127.0.0.9")
    edge = edge_of(config)
    assert edge is not None and edge.key in file.read_text() and file.stat().st_mode & 0o77 == 0
    assert (tmp_path / "edge/nodes.list").read_text() == "1 sip:127.0.0.2:5060\n1 sip:127.0.0.3:5060\n"
    if shutil.which("kamailio", path="/usr/sbin"):
        checked = subprocess.run(["/usr/sbin/kamailio", "-c", "-f", file], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_kamailio_takes_addresses_of_ipv6_in_each_way_of_writing_them(tmp_path: Path) -> None:
    config = Config.load({}, home=str(tmp_path), nodes="a=fd00::11, b=fd00::12", edge="::1")
    text = kamailio.write_edge(config, tmp_path / "edge").read_text()
    nodes = re.search('#!define NODES "(.*)"', text)
    assert nodes is not None
    for there in ("fd00:0:0:0:0:0:0:11", "[fd00::11]", "[fd00:0:0:0:0:0:0:12]"):
        assert re.search(nodes[1], there)
    assert not re.search(nodes[1], "[fd00::1]")
    assert "listen=udp:[::1]:5060" in text


def test_without_nodes_or_edge_there_is_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no edge"):
        kamailio.write_edge(load(tmp_path, ""), tmp_path / "edge")


@pytest.mark.parametrize(
    ("contact", "address"),
    [
        ("sip:d1@10.0.0.9:5060;at=198.51.100.7~40001~udp", "198.51.100.7"),
        ("sip:d1@10.0.0.9:5060;at=[2001:db8:0:0:0:0:0:7]~40001~tls", "2001:db8:0:0:0:0:0:7"),
        ("sip:d1@198.51.100.7:5062", "198.51.100.7"),
    ],
)
def test_where_a_phone_behind_the_edge_really_is_stands_in_its_contact(contact: str, address: str) -> None:
    assert address_of(contact) == address


def test_edges_and_nodes_are_machines_of_ours_which_nobody_may_have_blocked(tmp_path: Path) -> None:
    assert machines_of(load(tmp_path, "127.0.0.9")) == ("127.0.0.9", "127.0.0.2", "127.0.0.3")
    assert machines_of(Config.load({}, home=str(tmp_path))) == ()
