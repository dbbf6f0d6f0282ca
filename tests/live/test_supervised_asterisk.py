"""The process around our Asterisk: nothing is left running, and its refusals are sentences."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded, log_files
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.config import Config
from tests.support.free_ports import free_port
from tests.support.waiting import in_time, until

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.config import Config

async def main():
    asterisk = EngineAsterisk(Config.load(), Path(sys.argv[1]))
    await asterisk.start()
    print(asterisk.pid, flush=True)
    await asterisk.wait()

asyncio.run(main())
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    names = ("sip_port", "sip_tls_port", "ari_port", "ami_port")
    return Config.load({**os.environ}, home=tmp_path / "home", **{name: free_port() for name in names})


@pytest.fixture
def prefix(config: Config) -> Path:
    return embedded.ensure(config.cache, config.debian_mirror, lambda _fraction, _sentence: None)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_asterisk_ends_with_its_supervisor_however_that_ends(
    config: Config, prefix: Path, how: signal.Signals
) -> None:
    names = ("sip_port", "sip_tls_port", "ari_port", "ami_port")
    settings = {f"SWITCHHOOK_{name.upper()}": str(getattr(config, name)) for name in names}
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISOR, str(prefix)),
        env={**os.environ, **settings, "SWITCHHOOK_HOME": str(config.home)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert supervisor.stdout is not None
    pid = int(await in_time(supervisor.stdout.readline(), 20))
    os.kill(pid, 0)
    supervisor.send_signal(how)
    await supervisor.wait()
    await until(lambda: not alive(pid), within=8, what="the end of Asterisk")


async def test_a_port_that_is_taken_is_named_with_its_setting(config: Config, prefix: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", config.sip_port))
        with pytest.raises(embedded.BuildError, match="taken by another program: stop it, or set SWITCHHOOK_SIP_PORT"):
            await EngineAsterisk(config, prefix).start()


async def test_a_second_asterisk_in_the_same_home_is_refused(config: Config, prefix: Path) -> None:
    first = EngineAsterisk(config, prefix)
    await first.start()
    second = EngineAsterisk(config, prefix)
    second.ports = list  # type: ignore[method-assign]
    with pytest.raises(embedded.BuildError, match=r"already runs in .* set SWITCHHOOK_HOME"):
        await second.start()
    await first.stop()
    assert not first.running


async def test_it_starts_at_once_after_a_kill_and_stops_without_leaving_its_socket_in_the_way(
    config: Config, prefix: Path
) -> None:
    asterisk = EngineAsterisk(config, prefix)
    for _ in range(3):
        await asterisk.start()
        assert asterisk.pid is not None
        os.kill(asterisk.pid, signal.SIGKILL)
        await asterisk.wait()
    await asterisk.start()
    await asterisk.stop()


async def test_a_home_with_a_long_path_works(config: Config, prefix: Path, tmp_path: Path) -> None:
    deep = Config.load(
        {**os.environ},
        home=tmp_path / ("a" * 60) / ("b" * 60),
        **{name: free_port() for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port")},
    )
    asterisk = EngineAsterisk(deep, prefix)
    await asterisk.start()
    await asterisk.stop()
    shutil.rmtree(asterisk.layout.run)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()


async def test_its_logs_are_moved_aside_while_it_runs_and_no_line_is_lost(
    config: Config, prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is guessed at for months would have its disk filled by the log of it."""
    monkeypatch.setattr(log_files, "LIMIT", 50_000)
    monkeypatch.setattr(log_files, "LOOK_EVERY_S", 0.2)
    asterisk = EngineAsterisk(config, prefix)
    await asterisk.start()
    folder = asterisk.layout.log
    guessed = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guesser:
        while len(list(folder.glob("security.log.*"))) < 2:
            assert guessed < 4_000
            guesser.sendto(register(guessed), ("127.0.0.1", config.sip_port))
            guessed += 1
            await asyncio.sleep(0.002)

        def written() -> list[str]:
            return re.findall(r"guess(\d+)#", "".join(path.read_text() for path in folder.glob("security.log*")))

        await until(lambda: len(set(written())) == guessed, 10, "every guess to stand in the log")
    await until((folder / "security.log").exists, 10, "the log to be opened anew")
    await asterisk.stop()


def register(number: int) -> bytes:
    lines = (
        "REGISTER sip:127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{number}",
        f"From: <sip:nobody@127.0.0.1>;tag={number}",
        "To: <sip:nobody@127.0.0.1>",
        f"Call-ID: guess{number}#",
        "CSeq: 1 REGISTER",
        "Contact: <sip:nobody@127.0.0.1:9>",
        "Content-Length: 0",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
