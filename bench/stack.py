"""The stack that the figures are taken from: our Asterisk, the engine as a process of its own, SIPp on both sides.

Bare Asterisk is the same Asterisk: numbers that begin with ``+7777`` are dialled by ``MixMonitor()`` and ``Dial()`` in
the dialplan, without the engine. So both are measured in one run, on the same phones, trunk and transport.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crm.migrations import migrate
from crm.services import devices, numbers, settings, trunks, users
from crm.unit_of_work import SYSTEM, Store
from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.config import Config
from tests.support.free_ports import free_port

BARE_PATTERN = "_+7777XXXX"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Stack:
    config: Config
    asterisk: EngineAsterisk
    engine_pid: int
    device: str
    secret: str
    did: str
    carrier_port: int
    up_s: float = 0.0  # since both were started: Asterisk answers
    linked_s: float = 0.0  # the engine takes calls; where the log says so
    ready_s: float = 0.0  # and answers people

    def ready(self) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.config.http_port}/readyz"
        with urllib.request.urlopen(url, timeout=2) as answer:
            return dict(json.load(answer))

    def cpu_s(self) -> tuple[float, float]:
        """Processor seconds used so far: Asterisk, engine."""
        return _cpu_s(self.asterisk.pid or 0), _cpu_s(self.engine_pid)


@asynccontextmanager
async def stack(log_level: str = "warning") -> AsyncIterator[Stack]:
    """Bring everything up in a directory of its own, on free ports; leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="switchhook-bench-") as directory:
        config, device, secret, carrier_port = await _organisation(Path(directory), log_level)
        prefix = await asyncio.to_thread(embedded.ensure, config.cache, config.debian_mirror, lambda *_: None)
        asterisk = EngineAsterisk(config, prefix)
        began, began_at = time.monotonic(), time.time()
        engine = await _engine(config)  # as the supervisor does: beside Asterisk, not after it
        try:
            await asterisk.start()
            up_s = time.monotonic() - began
            made = Stack(config, asterisk, engine.pid, device, secret, "+14155550101", carrier_port)
            await _until_ready(made)
            made.up_s, made.ready_s = up_s, time.monotonic() - began
            made.linked_s = _linked_at(config.home / "engine.log") - began_at
            await _add_bare_dialplan(made)
            yield made
        finally:
            if engine.returncode is None:
                engine.send_signal(signal.SIGTERM)
            await asyncio.wait_for(engine.wait(), 20)
            await asterisk.stop()


def _linked_at(path: Path) -> float:
    """Seconds since the epoch at which the engine wrote that it takes calls; nan where it writes less."""
    said = [json.loads(line) for line in path.read_text().splitlines() if '"asterisk.linked"' in line]
    return datetime.fromisoformat(said[0]["timestamp"]).timestamp() if said else float("nan")


async def _organisation(home: Path, log_level: str) -> tuple[Config, str, str, int]:
    carrier_port = free_port()
    config = Config.load(
        {
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", ""),
            "SWITCHHOOK_CACHE": os.environ.get("SWITCHHOOK_CACHE", ""),
        },
        home=home,
        sip_host="127.0.0.1",
        log_level=log_level,
        rtp_start=10000,
        rtp_end=19999,
        **{name: free_port() for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port", "http_port")},
    )
    await migrate(config.database_url)
    store = Store(config.database_url)
    async with store.write(SYSTEM) as work:
        user = await users.add(work, {"email": "bench@demo.example", "name": "Bench", "max_concurrent": 10000})
        await numbers.add(work, {"number": "+14155550101", "user": user.id})
        phone = await devices.add(work, {"user": user.id, "name": "load"})
        await trunks.add(
            work,
            {
                "name": "far end",
                "mode": "address",
                "host": "127.0.0.1",
                "port": carrier_port,
                "match_addresses": [f"127.0.0.1:{carrier_port}"],
            },
        )
        await settings.change(work, "recording.enabled", True)
        await settings.change(work, "recording.follow_law", False)
    await store.close()
    return config, phone.device.id, phone.secret, carrier_port


async def _engine(config: Config) -> asyncio.subprocess.Process:
    names = (
        "home",
        "cache",
        "database_url",
        "sip_host",
        "sip_port",
        "sip_tls_port",
        "ari_port",
        "ami_port",
        "http_port",
    )
    environment = os.environ | {f"SWITCHHOOK_{name.upper()}": str(getattr(config, name)) for name in names}
    environment["SWITCHHOOK_LOG_LEVEL"] = config.log_level
    log = (config.home / "engine.log").open("wb")
    cli = Path(__file__).parent.parent / "cli.py"
    return await asyncio.create_subprocess_exec(sys.executable, cli, "serve", env=environment, stdout=log, stderr=log)


@asynccontextmanager
async def engine_alone(home: Path, database_url: str) -> AsyncIterator[str]:
    """An engine on a store, without an Asterisk; gives its address."""
    ports = {name: free_port() for name in ("ari_port", "ami_port", "http_port")}
    config = Config.load({}, home=home, database_url=database_url, log_level="error", **ports)
    engine = await _engine(config)
    address = f"http://127.0.0.1:{config.http_port}"
    try:
        end = time.monotonic() + 20
        while not await asyncio.to_thread(_answers, f"{address}/healthz"):
            if time.monotonic() > end:
                raise RuntimeError("the engine did not start:\n" + (home / "engine.log").read_text()[-3000:])
            await asyncio.sleep(0.1)
        yield address
    finally:
        if engine.returncode is None:
            engine.send_signal(signal.SIGTERM)
        await asyncio.wait_for(engine.wait(), 20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


async def _until_ready(made: Stack, deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        try:
            if (await asyncio.to_thread(made.ready)).get("ready"):
                return
        except OSError:
            pass
        await asyncio.sleep(0.05)
    raise RuntimeError("the engine did not get ready:\n" + (made.config.home / "engine.log").read_text()[-3000:])


async def _add_bare_dialplan(made: Stack) -> None:
    trunk = (made.config.home / "asterisk" / "etc" / "pjsip_trunks.conf").read_text()
    name = next(line[1 : line.index("]")] for line in trunk.splitlines() if line.startswith("[tr_"))
    monitor = made.config.home / "spool"
    for line in (
        f"{BARE_PATTERN},1,MixMonitor,{monitor}/bare-${{UNIQUEID}}.wav",
        f"{BARE_PATTERN},2,Dial,PJSIP/{name}/sip:${{EXTEN}}@127.0.0.1:{made.carrier_port}",
    ):
        await made.asterisk.cli(f"dialplan add extension {line} into from-endpoint")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
