"""An Asterisk that is one of several, each on a machine of its own, with an engine that may be on another one."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.config import Config


class NodeAsterisk(EngineAsterisk):
    """Its directories are those of its node, its secrets and prompts those of the whole house.

    The engine may come from each machine that is named in the configuration. ARI and AMI are not encrypted: the
    network between these machines must be one that nobody else is in.
    """

    def __init__(self, shared: Config, node: str, prefix: Path, *, with_parent: bool = True) -> None:
        """Raises KeyError for a node that the configuration does not name."""
        super().__init__(shared.asterisks[node], prefix, with_parent=with_parent, shared=shared)
        self.node = node
        self._addresses = [config.ari_host for config in shared.asterisks.values()]

    def values(self) -> Mapping[str, str]:
        return {
            **super().values(),
            "ami_host": self._config.ari_host,
            "engine_permits": permits(self._addresses),
            "system_name": f"systemname = {self.node}",
        }

    def ports(self) -> list[tuple[str, str, int, str]]:
        host = self._config.ari_host
        return [(kind, host, port, setting) for kind, _, port, setting in super().ports()]


def permits(addresses: list[str]) -> str:
    """The lines of an access list that let these in, besides this machine itself."""
    return "\n".join(f"permit = {address}/{ipaddress.ip_address(address).max_prefixlen}" for address in addresses)
