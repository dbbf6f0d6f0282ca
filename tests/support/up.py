"""`pbx up` as a person starts it: in a home of its own, on free ports, stopped with Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pbx.adapters.children import with_parent
from tests.support.free_ports import free_port
from tests.support.house import ROOT
from tests.support.waiting import in_time, until

_PORTS = ("http", "sip", "sip_tls", "ari", "ami", "practice_sip", "practice_ami")
START_S = 30.0
STOP_S = 20.0


@dataclass
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Up:
    """One Switchhook. ``start`` returns when the screen is there."""

    home: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in _PORTS})
    rtp: int = field(default_factory=lambda: free_port(width=122))
    process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHHOOK_")}
        ranges = {
            "RTP_START": self.rtp,
            "RTP_END": self.rtp + 59,
            "PRACTICE_RTP_START": self.rtp + 60,
            "PRACTICE_RTP_END": self.rtp + 119,
        }
        ports = {f"{name.upper()}_PORT": port for name, port in self.ports.items()}
        own = {f"SWITCHHOOK_{name}": str(value) for name, value in {**ports, **ranges}.items()}
        if "SWITCHHOOK_CACHE" in os.environ:
            own["SWITCHHOOK_CACHE"] = os.environ["SWITCHHOOK_CACHE"]
        return {**kept, **own, "SWITCHHOOK_HOME": str(self.home)}

    @property
    def screen(self) -> str:
        return (self.home.parent / f"{self.home.name}.out").read_text()

    @property
    def logins(self) -> dict[str, dict[str, str]]:
        """The demo users by e-mail address, as the screen shows them."""
        return {each["email"]: each for each in json.loads((self.home / "demo-secrets.json").read_text())}

    async def start(self, *options: str) -> None:
        await self.launch(*options)
        await self.until_on_screen("Ctrl-C stops everything")

    async def launch(self, *options: str) -> None:
        with (self.home.parent / f"{self.home.name}.out").open("wb") as screen:
            self.process = await asyncio.create_subprocess_exec(
                *with_parent(self.command("up", *options)),  # a worker that is interrupted leaves none behind
                stdout=screen,
                stderr=screen,
                env=self.environment,
                cwd=ROOT,
                start_new_session=True,
            )

    async def until_on_screen(self, text: str, within: float = START_S) -> None:
        def there() -> bool:
            assert self.process is not None
            if self.process.returncode is not None and text not in self.screen:
                raise AssertionError(f"It ended with {self.process.returncode} and said:\n{self.screen}")
            return text in self.screen

        await until(there, within=within, what=f"“{text}” on the screen")

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await in_time(self.process.wait(), STOP_S)

    async def run(self, *words: str) -> Done:
        """A `pbx` command in the same home."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=ROOT,
        )
        out, err = await in_time(process.communicate(), START_S)
        return Done(process.returncode or 0, out.decode(), err.decode())

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pbx.cli", *words]

    def children(self) -> dict[int, str]:
        """Every process that works in this home, by its id, but not `pbx up` itself."""
        own = self.process.pid if self.process else 0
        return {pid: words for pid, words in _processes(self.home) if pid != own}


def _processes(home: Path) -> list[tuple[int, str]]:
    """Those whose command or environment names the home. A zombie has neither and is none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            known = words + (folder / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(home) in known and int(folder.name) != os.getpid():
            found.append((int(folder.name), words.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found
