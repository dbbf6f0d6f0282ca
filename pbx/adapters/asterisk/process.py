"""One Asterisk process: started in the foreground as this user, ended gently and then by its id."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.layout import Layout
from pbx.adapters.children import with_parent

BOOT_S = 30.0
STOP_S = 8.0
_LOOK_AGAIN_S = 0.05


class Process:
    """``with_parent``: Asterisk ends when the process that started it does, however it ends.

    The parent is the supervisor, never the engine: an engine that dies must leave the calls standing (P1).
    """

    def __init__(self, binary: Path, layout: Layout, *, with_parent: bool = True) -> None:
        self._binary = binary
        self._layout = layout
        self._with_parent = with_parent
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def launch(self) -> None:
        """Start the process; it is not yet up. Raises BuildError where one runs in these directories already."""
        await self._free_socket()
        command = [str(self._binary), "-f", "-n", "-q", "-C", str(self._layout.conf)]
        if self._with_parent:
            command = with_parent(command)
        console = (self._layout.log / "console.log").open("ab")
        with console:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self._layout.base,
                env=_environment(os.environ),
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends calls first
            )

    async def wait(self) -> int:
        """The exit status, once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def listens(self) -> bool:
        """The control socket takes connections."""
        return await asyncio.to_thread(_answers, self._layout.socket)

    async def cli(self, command: str, deadline_s: float = 5.0) -> str:
        """Run one console command. Raises BuildError when Asterisk does not answer in time."""
        process = await asyncio.create_subprocess_exec(
            *[str(self._binary), "-C", str(self._layout.conf), "-rx", command],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(os.environ),
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), deadline_s)
        except TimeoutError as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise BuildError(f"Asterisk does not answer “{command}”: look into {self._layout.log}.") from error
        return output.decode(errors="replace").strip()

    async def stop(self, deadline_s: float = STOP_S) -> None:
        """Hang up what is up, let Asterisk finish its files, then insist. Harmless when it has ended."""
        if self._process is None or not self.running:
            return
        with contextlib.suppress(BuildError):
            await self.cli("channel request hangup all", 2.0)
            await self._until_quiet(2.0)
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), deadline_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _until_quiet(self, deadline_s: float) -> None:
        """Wait until no channel is left, so that recordings end with whole headers."""
        end = asyncio.get_running_loop().time() + deadline_s
        while asyncio.get_running_loop().time() < end:
            if "0 active channels" in await self.cli("core show channels count", 2.0):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _free_socket(self) -> None:
        """Take away the control socket of a killed instance; a living one is an error.

        A killed Asterisk's children may hold its socket for up to a second: wait that long before refusing.
        """
        path = self._layout.socket
        for _ in range(40):
            if not await asyncio.to_thread(_answers, path):
                path.unlink(missing_ok=True)
                (path.parent / "asterisk.pid").unlink(missing_ok=True)
                return
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise BuildError(
            f"An Asterisk already runs in {self._layout.base}: stop the other Switchhook, "
            "or set SWITCHHOOK_HOME to another directory."
        )


def check_ports(wanted: Sequence[tuple[str, str, int, str]]) -> None:
    """Each (protocol, address, port, setting) can be bound now; raises BuildError naming port and setting."""
    for protocol, address, port, setting in wanted:
        kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise BuildError(_port_sentence(error, protocol, address, port, setting)) from error


def _port_sentence(error: OSError, protocol: str, address: str, port: int, setting: str) -> str:
    name = f"SWITCHHOOK_{setting.upper()}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port}/{protocol} is taken by another program: stop it, or set {name} to a free port."
    if error.errno == errno.EACCES:
        return f"Port {port}/{protocol} needs root: set {name} to a port above 1023."
    return f"{address}:{port}/{protocol} cannot be used ({error.strerror}): set {name} to what this machine has."


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """What Asterisk may see of our environment: no setting, token or address of the person who started it."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "USER")
    return {name: env[name] for name in kept if name in env} | {"TERM": "dumb"}
