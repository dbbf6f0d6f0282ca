"""The engine as a process of its own, to be killed as the kernel kills, beside a stage that another one set up."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from crm.services import tokens
from pbx.config import Config
from pbx.supervisor.engine_process import EngineProcess
from tests.support.engine_nursery import Nursery
from tests.support.waiting import Deadline, until

_PORTS = ("http_port", "sip_port", "sip_tls_port", "ari_port", "ami_port", "rtp_start", "rtp_end")


class KillableEngine:
    """``secret`` is an API token of somebody who may see and end every call; ``forked`` engines need read no code."""

    def __init__(self, config: Config, secret: str, *, forked: bool) -> None:
        self._config = config
        self._secret = secret
        self._process: EngineProcess | Nursery = Nursery(config) if forked else EngineProcess(config)
        values = [f'{name} = "{getattr(config, name)}"' for name in ("sip_host", "nodes", "database_url")]
        values += [f"{name} = {getattr(config, name)}" for name in _PORTS]
        (config.home / "config.toml").write_text("\n".join(values) + "\n")
        self.deaths = 0

    @staticmethod
    async def token(change: Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Any]], user_id: str) -> str:
        values = {"name": "test", "scopes": ["calls:read", "calls:write"]}
        made = await change(lambda work: tokens.add(work, user_id, values))
        return str(made.secret)

    async def start(self) -> None:
        await self._process.start()

    async def until_one_stands_by(self, within: float = 30) -> None:
        """The next engine has read its code."""
        await until(lambda: self._said("engine.stands_by") > self._said("engine.takes_over"), within, "a standby")

    async def die(self) -> float:
        """Kill it, and wait until another takes calls; the seconds from the one to the other."""
        assert self._process.pid is not None
        began = time.monotonic()
        os.kill(self._process.pid, signal.SIGKILL)
        self.deaths += 1
        await self._process.wait()
        await self._process.start()
        return time.monotonic() - began

    async def stop(self) -> None:
        self._process.dismiss()
        self._process.kill()
        if self._process.pid is not None:
            await self._process.wait()

    async def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """Status and answer of the API."""
        url = f"http://127.0.0.1:{self._config.http_port}/api/v1{path}"
        headers = {"Authorization": f"Bearer {self._secret}"}
        session = aiohttp.ClientSession(headers=headers)
        async with session, session.request(method, url, json=body or None) as answer:
            return answer.status, await answer.json(content_type=None)

    @property
    def log(self) -> Path:
        return self._process.log

    def _said(self, event: str) -> int:
        return self.log.read_text(errors="replace").count(event) if self.log.exists() else 0


async def with_patience(ask: Callable[[], Awaitable[tuple[int, Any]]], within: float = 10) -> Any:
    """Ask again while nobody is there; the answer. Raises AssertionError where it is a refusal."""
    deadline = Deadline(within)
    while True:
        try:
            status, answer = await ask()
        except (aiohttp.ClientError, OSError):
            status, answer = 503, None
        if status < 300 or (status != 503 and deadline.over):
            assert status < 300, answer
            return answer
        assert not deadline.over, answer
        await asyncio.sleep(0.05)
