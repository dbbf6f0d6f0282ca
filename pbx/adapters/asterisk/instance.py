"""The engine's own Asterisk: configuration rendered, process run, reloads asked for."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.certificate import ensure_certificate
from pbx.adapters.asterisk.embedded import recipe
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.layout import DIALPLANS, TEMPLATES, Layout, modules_of, render, write_changed
from pbx.adapters.asterisk.log_files import LogFiles
from pbx.adapters.asterisk.process import BOOT_S, Process, check_ports
from pbx.config import Config, in_url
from pbx.services.prompts import Prompts

AMI_USER = "switchhook"
ARI_USER = "switchhook"
_LOOK_AGAIN_S = 0.05


class Instance:
    """An Asterisk in directories of its own. Subclasses say which files and ports."""

    name = "Asterisk"

    def __init__(self, prefix: Path, layout: Layout, *, with_parent: bool = True) -> None:
        self.prefix = prefix
        self.layout = layout
        self._process = Process(prefix / "sbin/asterisk", layout, with_parent=with_parent)
        self._logs = LogFiles(layout.log)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._process.running

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def render(self) -> None:
        """Write every configuration file that is not generated from the store."""
        self.layout.make()
        values = {**self.layout.values(self.prefix), **self.values()}
        for template in self.templates():
            write_changed(self.layout.etc / template.name, render(template, values))
        for dialplan in self.dialplans():
            write_changed(self.layout.etc / dialplan.name, dialplan.read_text())

    async def start(self, deadline_s: float = BOOT_S) -> None:
        """Render, launch and wait until booted. Raises BuildError with a sentence."""
        if self.running:
            return
        self.render()
        check_ports(self.ports())
        self._logs.move_large()
        await self._process.launch()
        try:
            async with asyncio.timeout(deadline_s):
                await self._booted()
        except TimeoutError as error:
            await self._process.stop(1.0)
            raise BuildError(
                f"{self.name} did not come up within {deadline_s:.0f} s: look into {self.layout.log}."
            ) from error
        self._keep_logs()

    async def stop(self) -> None:
        self._let_logs_be()
        await self._process.stop()

    async def wait(self) -> int:
        """The exit status, once Asterisk has ended, however it ended."""
        status = await self._process.wait()
        self._let_logs_be()
        return status

    async def cli(self, command: str) -> str:
        """The answer to a console command."""
        return await self._process.cli(command)

    def values(self) -> Mapping[str, str]:
        raise NotImplementedError

    def templates(self) -> list[Path]:
        raise NotImplementedError

    def dialplans(self) -> list[Path]:
        raise NotImplementedError

    def ports(self) -> list[tuple[str, str, int, str]]:
        raise NotImplementedError

    async def _booted(self) -> None:
        """Return once every module is up and the dialplan, AMI and ARI answer."""
        while not await self._process.listens():
            if not self.running:
                raise BuildError(f"{self.name} ended while starting: look into {self.layout.log / 'console.log'}.")
            await asyncio.sleep(_LOOK_AGAIN_S)
        await self._process.cli("core waitfullybooted", BOOT_S)

    def _keep_logs(self) -> None:
        self._let_logs_be()
        self._keeping = asyncio.ensure_future(self._logs.keep(lambda: self.cli("logger reload")))

    def _let_logs_be(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            self._keeping = None


class EngineAsterisk(Instance):
    """The Asterisk that carries the organisation's calls."""

    def __init__(self, config: Config, prefix: Path, *, with_parent: bool = True, shared: Config | None = None) -> None:
        """``shared`` is the configuration whose prompts and secrets are meant, where that is another one."""
        super().__init__(prefix, Layout(config.home / "asterisk"), with_parent=with_parent)
        self._config = config
        self._secrets = (shared or config).secrets()
        self._prompts = prompts_of(shared or config)

    def render(self) -> None:
        super().render()
        self.layout.link_sounds(self._prompts)

    def values(self) -> Mapping[str, str]:
        config = self._config
        certificate, key = ensure_certificate(config.home / "tls", config.external_address)
        return {
            "language": "en",
            "ari_host": config.ari_host,
            "ari_port": str(config.ari_port),
            "ari_secret": self._secrets.ari,
            "ami_host": "127.0.0.1",
            "ami_port": str(config.ami_port),
            "ami_secret": self._secrets.ami,
            "ami_security_secret": self._secrets.ami_security,
            "ami_write": "call,reporting" if embedded.is_ours(self.prefix) else "system,call,reporting",
            "rtp_start": str(config.rtp_start),
            "rtp_end": str(config.rtp_end),
            "sip_host": in_url(config.sip_host),
            "sip_port": str(config.sip_port),
            "sip_tls_port": str(config.sip_tls_port),
            "identifiers": "ip,header,username,auth_username" if config.edge else "ip,username,auth_username",
            "tls_certificate": str(certificate),
            "tls_key": str(key),
            "nat": nat_lines(config.external_address, config.local_nets),
            "ice": ice_lines(config.external_address),
            "music": str(self._prompts.music),
            "own_modules": own_modules(self.prefix),
            "transfers": "yes" if has_module(self.prefix, TRANSFERS_NEED) else "no",
        }

    def templates(self) -> list[Path]:
        return sorted(TEMPLATES.glob("*.conf"))

    def dialplans(self) -> list[Path]:
        return sorted(DIALPLANS.glob("*.conf"))

    def ports(self) -> list[tuple[str, str, int, str]]:
        config = self._config
        return [
            ("udp", config.sip_host, config.sip_port, "sip_port"),
            ("tcp", config.sip_host, config.sip_port, "sip_port"),
            ("tcp", config.sip_host, config.sip_tls_port, "sip_tls_port"),
            ("tcp", config.ari_host, config.ari_port, "ari_port"),
            ("tcp", "127.0.0.1", config.ami_port, "ami_port"),
        ]


TRANSFERS_NEED = "res_switchhook_refer.so"
"""Without it a phone can crash Asterisk 22.10.1 by a transfer; newer ones do not need it, and keep transfers off."""


def prompts_of(config: Config) -> Prompts:
    """The operator's before Debian's before ours."""
    return Prompts(config.home / "prompts", config.cache / "prompts")


def has_module(prefix: Path, name: str) -> bool:
    return (modules_of(prefix) / name).exists()


def own_modules(prefix: Path) -> str:
    """The lines that load our modules, where this Asterisk has them: the system's does its work without."""
    names = [source.with_suffix(".so").name for source in recipe.own_sources()]
    return "\n".join(f"load = {name}" for name in names if has_module(prefix, name))


def nat_lines(external_address: str, local_nets: str) -> str:
    """The transport's lines for a machine behind a NAT; empty where it is not."""
    if not external_address:
        return ""
    nets = [net.strip() for net in local_nets.split(",") if net.strip()]
    lines = [f"external_media_address = {external_address}", f"external_signaling_address = {external_address}"]
    if any(mark in external_address + local_nets for mark in "\n\r;[]"):
        raise BuildError("external_address and local_nets may hold addresses only: correct them and start again.")
    return "\n".join([*lines, *(f"local_net = {net}" for net in ["127.0.0.0/8", *nets])])


def ice_lines(external_address: str) -> str:
    """Behind a NAT: browsers outside are offered the public address besides the one that this machine has itself.

    Empty for a name in place of an address: ICE takes addresses only, and a name's may change.
    """
    try:
        public = ipaddress.ip_address(external_address)
        with socket.socket(socket.AF_INET6 if public.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect((str(public), 9))  # sends nothing: it asks by which address this machine would go there
            own = route.getsockname()[0]
    except (ValueError, OSError):
        return ""
    return f"{own} => {public},include_local_address" if own != str(public) else ""


def hosts_warning() -> str | None:
    """A sentence where this machine's name needs DNS: Asterisk looks it up on each call, which can cost seconds."""
    name = socket.gethostname()
    try:
        lines = Path("/etc/hosts").read_text().splitlines()
    except OSError:
        lines = []
    if any(name in line.split("#")[0].split()[1:] for line in lines):
        return None
    return f"/etc/hosts does not name this machine, which can delay each call: add the line “127.0.1.1 {name}”."
