"""Serves the application on the configured address until it is stopped."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp import web

from pbx.config import ConfigError

if TYPE_CHECKING:
    from pbx.web.engine import Engine

SHUTDOWN_S = 2.0


class WebServer:
    """``port`` is the one that is listened on, also where the configuration leaves the choice (tests: 0)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self) -> None:
        """Raises ConfigError when the address is taken or is not ours."""
        config = self._engine.config
        self._engine.metrics.ready = self._engine.ready
        await asyncio.to_thread(_load)
        from pbx.web.app import make_app
        from pbx.web.housekeeping import keep_house

        runner = web.AppRunner(
            make_app(self._engine), access_log=None, shutdown_timeout=SHUTDOWN_S, handle_signals=False
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, config.http_host, config.http_port).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"The web cannot listen on {config.http_host}:{config.http_port} ({error.strerror}). "
                "Choose another with SWITCHHOOK_HTTP_PORT, or stop what uses it."
            ) from error
        self._runner = runner
        self.port = runner.addresses[0][1]
        loops = (self._engine.metrics.watch_loop(), keep_house(self._engine))
        self._tasks = [asyncio.ensure_future(each) for each in loops]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _load() -> None:
    """A quarter of what an engine loads is for people's questions: calls are taken meanwhile, not after it."""
    for name in ("pbx.web.app", "pbx.web.housekeeping"):
        import_module(name)
