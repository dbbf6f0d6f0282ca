"""What is looked at before anything is started, and the sentence when it is not as it must be."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from pbx.supervisor import checks
from pbx.supervisor.errors import CannotStart
from pbx.supervisor.lock import only_one


def test_a_full_disk_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(CannotStart, match=r"1 MB left .*: free 200 MB, or set SWITCHHOOK_HOME"):
        checks.check_room(tmp_path)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_taken_port_is_said_with_who_has_it(protocol: str) -> None:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as told:
            checks.check_ports([(protocol, "127.0.0.1", port, "sip_port")])
    assert f"Port {port}/{protocol} is taken by another program" in str(told.value)
    assert f"process {os.getpid()}" in str(told.value)
    assert "SWITCHHOOK_SIP_PORT" in str(told.value)
    checks.check_ports([(protocol, "127.0.0.1", port, "sip_port")])


def test_an_address_that_this_machine_does_not_have_is_said() -> None:
    with pytest.raises(CannotStart, match="SWITCHHOOK_SIP_PORT"):
        checks.check_ports([("udp", "192.0.2.77", 25060, "sip_port")])


def test_the_lock_names_who_has_it_and_falls_with_the_block(tmp_path: Path) -> None:
    told = pytest.raises(CannotStart, match=f"process {os.getpid()}, http://127.0.0.1:1")
    with only_one(tmp_path, "http://127.0.0.1:1"), told, only_one(tmp_path, "another"):
        pass
    with only_one(tmp_path, "again"):
        pass
