"""The SIP load balancer before several nodes: Kamailio, with the routes of ``deploy/edge`` and definitions of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

from crm import ids
from pbx.adapters.asterisk.certificate import ensure_certificate
from pbx.adapters.asterisk.edge import Edge, edge_of, spelled
from pbx.adapters.asterisk.layout import ROOT, write_changed
from pbx.config import Config, ConfigError

ROUTES = ROOT / "deploy/edge/kamailio.cfg"
_PLACE = "@{definitions}\n"
_PHONE = f"{ids.DEVICE}[{ids.DEVICE_ALPHABET}]{{{ids.DEVICE_LENGTH}}}"
PACKAGES = "kamailio kamailio-tls-modules"


def write_edge(config: Config, folder: Path, at: str = "") -> Path:
    """Kamailio's files for the edge at this address (the only one, where it is left out); where the first of them is.
    Raises ConfigError."""
    edge = edge_of(config)
    if edge is None or not config.nodes:
        raise ConfigError("There is no edge: set nodes and edge in config.toml, each with IP addresses.")
    if not at and len(edge.addresses) > 1:
        raise ConfigError(f"Say which edge this is, with --at: {', '.join(edge.addresses)}.")
    at = at or edge.addresses[0]
    if at not in edge.addresses:
        raise ConfigError(f"{at} is no edge in config.toml. There are {', '.join(edge.addresses)}.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    nodes = [f"1 sip:{_in_uri(node)}:{config.sip_port}" for node in edge.nodes]
    write_changed(folder / "nodes.list", "\n".join(nodes) + "\n")
    file = folder / "kamailio.cfg"
    write_changed(file, ROUTES.read_text().replace(_PLACE, _definitions(config, edge, at, folder)))
    return file


def program() -> str:
    """Where Kamailio is. Raises ConfigError with the line to paste."""
    found = shutil.which("kamailio", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise ConfigError(f"Kamailio is not installed: run “apt-get install {PACKAGES}” as root.")
    return found


def command(file: Path) -> list[str]:
    """Runs it in the foreground until SIGTERM; what it says goes to stderr."""
    return [program(), "-f", str(file), "-DD", "-E", "-Y", str(file.parent), "-m", "128", "-M", "16"]


def _definitions(config: Config, edge: Edge, at: str, folder: Path) -> str:
    certificate, key = ensure_certificate(config.home / "tls", config.external_address)
    here, place = f"{_in_uri(at)}:{config.sip_port}", _in_uri(at)
    lines = [
        f'#!substdef "!EDGE_AT!{here}!g"',
        f'#!substdef "!EDGE_PATTERN!{_literally(here)}!g"',
        f'#!substdef "!EDGE_KEY!{edge.key}!g"',
        f'#!define NODES "^({"|".join(_ways(node) for node in edge.nodes)})$"',
        f'#!define PHONE "^{_PHONE}$"',
        f'#!define TLS_CERTIFICATE "{certificate}"',
        f'#!define TLS_KEY "{key}"',
        f'#!define NODES_FILE "{folder / "nodes.list"}"',
        f'#!define PING_FROM "sip:edge@{place}"',
        f"listen=udp:{place}:{config.sip_port}",
        f"listen=tcp:{place}:{config.sip_port}",
        f"listen=tls:{place}:{config.sip_tls_port}",
    ]
    return "\n".join(lines) + "\n"


def _ways(address: str) -> str:
    """An address as Kamailio writes it itself or finds it in a URI."""
    if ":" not in address:
        return _literally(address)
    return f"{spelled(address)}|{_literally(_in_uri(address))}|{_literally(_in_uri(spelled(address)))}"


def _in_uri(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _literally(text: str) -> str:
    """As part of a regular expression; without backslashes, which Kamailio's strings have a use of their own for."""
    return "".join(f"[{mark}]" if mark in ".[" else f"[]{mark[1:]}]" if mark == "]" else mark for mark in text)
