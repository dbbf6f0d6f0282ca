"""Where the engine lives: directories, addresses, ports and generated secrets.

Only what must be known before the database can be opened stands here; everything an admin changes
while the engine runs is a setting in the store. Sources, later ones win: defaults, ``config.toml`` in
the home directory, environment variables ``SWITCHHOOK_<NAME>`` (for example ``SWITCHHOOK_HTTP_PORT``).
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

_NODE = re.compile(r"[a-z][a-z0-9-]{0,19}")
SECRET_BYTES = 24  # 32 characters of base64: TRUST asks for 20 or more


class ConfigError(Exception):
    """A configuration that cannot be used; the text is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the engine and its Asterisk share; generated once, kept 0600 in the home directory."""

    ari: str
    ami: str
    ami_security: str
    practice_ami: str
    cookie: str
    edge: str


@dataclass(frozen=True, slots=True)
class Config:
    """All paths absolute; ports in 1..65535; addresses as IP literals or host names."""

    home: Path
    cache: Path
    database_url: str = ""
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    sip_host: str = "0.0.0.0"
    sip_port: int = 5060
    sip_tls_port: int = 5061
    external_address: str = ""  # what phones outside a NAT reach us at; empty: no NAT
    local_nets: str = ""  # comma-separated networks that are not behind that NAT
    outgoing_nets: str = ""  # comma-separated networks of the house that webhooks and providers may be in
    rtp_start: int = 10000
    rtp_end: int = 14999
    ari_host: str = "127.0.0.1"
    ari_port: int = 8088
    ami_port: int = 5038
    nodes: str = ""  # "a=10.0.0.11, b=10.0.0.12": machines with an Asterisk each; empty: one, on this machine
    edge: str = ""  # IP literals of the SIP load balancers before the nodes, comma-separated; empty: none
    practice_sip_port: int = 5160
    practice_rtp_start: int = 15000
    practice_rtp_end: int = 16999
    practice_ami_port: int = 5138
    mail_host: str = ""  # the server that takes our letters; empty: none are sent
    mail_port: int = 587
    mail_security: str = "starttls"  # or tls, or none
    mail_user: str = ""
    mail_password: str = field(default="", repr=False)
    mail_from: str = ""  # name@example.com
    paper_font: str = ""  # a TrueType font with Japanese for bills on paper; empty: one that the system has
    debian_mirror: str = ""
    log_level: str = "info"
    log_format: str = "json"

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None, **overrides: Any) -> Config:
        """Read defaults, file and environment; raises ConfigError with what to change."""
        env = os.environ if env is None else env
        home = Path(overrides.pop("home", None) or env.get("SWITCHHOOK_HOME") or "var").expanduser().absolute()
        values = _from_file(home / "config.toml") | _from_environment(env) | overrides
        cache = Path(values.pop("cache", None) or _default_cache(env)).expanduser().absolute()
        config = cls(home=home, cache=cache)
        config = replace(config, **{name: _typed(name, value, config) for name, value in values.items()})
        if not config.database_url:
            config = replace(config, database_url=f"sqlite+aiosqlite:///{home / 'switchhook.db'}")
        _check_ports(config)
        _nodes(config.nodes)
        _ = config.edges  # read once, so that a mistake is said at the start
        if config.mail_security not in ("starttls", "tls", "none"):
            raise ConfigError(f"mail_security must be starttls, tls or none, not “{config.mail_security}”.")
        return config

    @property
    def asterisks(self) -> dict[str, Config]:
        """What each Asterisk runs with, by its node's name; without nodes there is one, and its name is empty.

        A node keeps what is its own under the home, which all machines share: its files are ours to read and write
        wherever it runs.
        """
        if not self.nodes:
            return {"": self}
        return {
            name: replace(self, home=self.home / "nodes" / name, sip_host=at, ari_host=at, nodes="")
            for name, at in _nodes(self.nodes).items()
        }

    @property
    def edges(self) -> tuple[str, ...]:
        return tuple(_address(each.strip(), "edge") for each in self.edge.split(",") if each.strip())

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def attachments(self) -> Path:
        """Pictures and files of texts."""
        return self.home / "attachments"

    @property
    def greetings(self) -> Path:
        """What users recorded for their voicemail."""
        return self.home / "greetings"

    @property
    def drops(self) -> Path:
        """What users recorded for the mailboxes of others."""
        return self.home / "drops"

    @property
    def erasures(self) -> Path:
        """What was destroyed on request, for a database that is restored from before."""
        return self.home / "erasures.jsonl"

    @property
    def imports(self) -> Path:
        """CSV files that were uploaded, for a week."""
        return self.home / "imports"

    @property
    def spool(self) -> Path:
        """Sound being recorded now, and the journal: nothing here is finished."""
        return self.home / "spool"

    @property
    def journal(self) -> Path:
        return self.home / "journal"

    def secrets(self) -> Secrets:
        """The generated secrets, made on first use by whoever comes first. Raises ConfigError when the file is
        damaged."""
        path = self.home / "secrets.json"
        names = [f.name for f in fields(Secrets)]
        known = _read_secrets(path)
        if not all(known.get(name) for name in names):
            self.home.mkdir(parents=True, exist_ok=True)
            turn = self.home / "secrets.lock"
            turn.touch(mode=0o600)
            with turn.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                known = _read_secrets(path)
                known |= {name: secrets.token_urlsafe(SECRET_BYTES) for name in names if not known.get(name)}
                write_private(path, json.dumps(known, indent=1))
        return Secrets(**{name: known[name] for name in names})


def _read_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        known: dict[str, str] = json.loads(path.read_text())
    except ValueError as error:
        raise ConfigError(f"{path} is damaged: delete it and start again to get new secrets.") from error
    return known


def in_url(host: str) -> str:
    """As an address stands before a port: an IPv6 literal in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _default_cache(env: Mapping[str, str]) -> Path:
    base = env.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base) / "switchhook"


def _names() -> set[str]:
    return {f.name for f in fields(Config)} - {"home"}


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Correct that line or delete the file.") from error
    unknown = sorted(set(values) - _names())
    if unknown:
        raise ConfigError(f"{path} has an unknown setting “{unknown[0]}”. Known: {', '.join(sorted(_names()))}.")
    return values


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    found = {name: env.get(f"SWITCHHOOK_{name.upper()}") for name in _names()}
    return {name: value for name, value in found.items() if value}


def _typed(name: str, value: Any, config: Config) -> Any:
    if not isinstance(getattr(config, name), int):
        return str(value)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} must be a whole number, not “{value}”.") from error


def _nodes(text: str) -> dict[str, str]:
    """Addresses by the names of nodes."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, at = (word.strip() for word in part.partition("="))
        if not _NODE.fullmatch(name) or name in found:
            raise ConfigError(
                f"nodes must be like “a=10.0.0.11, b=10.0.0.12”, each with a name of its own, not “{part}”."
            )
        found[name] = _address(at, "nodes")
    if len(set(found.values())) < len(found):
        raise ConfigError("Two of the nodes have the same address: give each its own.")
    return found


def _address(text: str, setting: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ConfigError(f"{setting} must hold IP addresses, not “{text}”.") from error


def _check_ports(config: Config) -> None:
    for each in fields(config):
        value = getattr(config, each.name)
        if isinstance(value, int) and not 1 <= value <= 65535:
            raise ConfigError(f"{each.name} must be a port between 1 and 65535, not {value}.")
    if config.rtp_start >= config.rtp_end:
        raise ConfigError("rtp_start must be lower than rtp_end.")
