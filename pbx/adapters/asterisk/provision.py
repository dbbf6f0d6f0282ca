"""Phones, trunks and the fallback dialplan as Asterisk's configuration files.

Written whole and renamed, only where changed; then ARI reloads the module that reads them: 1,000 endpoints in 80 ms,
running calls untouched. Every value is checked here, because a line break or a semicolon in a name would be
configuration of its own. Phones of browsers are in no file: see :mod:`pbx.adapters.asterisk.browsers`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from pbx.adapters.asterisk.browsers import BrowserEndpoints
from pbx.adapters.asterisk.device_options import E164, ID, LANGUAGE, auth_options, checked, endpoint_options
from pbx.adapters.asterisk.edge import Addresses, Edge, names, render_edge, sources
from pbx.adapters.asterisk.fallback_gate import extension, recorded, render_gate
from pbx.adapters.asterisk.layout import write_changed
from pbx.adapters.names import addresses_of
from pbx.config import in_url
from pbx.services.ports_provision import (
    Device,
    EmergencyNumber,
    FallbackGate,
    FallbackNumber,
    Peer,
    ProvisionError,
    Provisioning,
    Route,
    Trunk,
)

Reload = Callable[[str], Awaitable[None]]
"""Carries out ``PUT asterisk/modules/<name>``."""

_HEAD = "; Written by Switchhook from its store: changes made here are lost.\n"
_PJSIP = "res_pjsip.so"
_DIALPLAN = "pbx_config.so"

_DIALLED = re.compile(r"[0-9+*#]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9.\-_]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_MATCH = re.compile(r"[A-Za-z0-9.\-_:/\[\]]{1,120}")
_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})
_CODEC = re.compile(r"[a-z0-9]{2,12}")
_FOLDER = re.compile(r"/[A-Za-z0-9_.\-/]{1,200}")
_SHUT = FallbackGate()
_WORD = re.compile(r"[A-Za-z0-9_.@+\-]{1,120}")
_PEER = re.compile(r"node-[a-z][a-z0-9-]{0,19}")


class AsteriskProvisioner:
    """Keeps the generated files of one instance. One change at a time; the last one wins."""

    def __init__(self, etc: Path, reload: Reload, browsers: BrowserEndpoints, edge: Edge | None = None) -> None:
        self._etc = etc
        self._reload = reload
        self._browsers = browsers
        self._edge = edge
        self._lock = asyncio.Lock()
        self._pending: set[str] = set()

    async def apply(self, wanted: Provisioning, *, force: bool = False) -> bool:
        """Write and reload; a reload that failed is asked for again at the next call. Raises ProvisionError."""
        places = {name: await addresses_of(name) for name in names(wanted.trunks)} if self._edge else {}
        files = render(wanted, self._edge, places)
        async with self._lock:
            changed = await asyncio.to_thread(self._write, files)
            self._pending |= {_PJSIP, _DIALPLAN} if force else changed
            for module in sorted(self._pending, reverse=True):
                await self._reload(module)
                self._pending.discard(module)
            if force:
                self._browsers.distrust()
            else:
                await self._browsers.apply(wanted.browsers)
        return bool(changed)

    async def apply_browsers(self, browsers: Sequence[Device]) -> None:
        async with self._lock:
            await self._browsers.apply(browsers)

    def _write(self, files: dict[str, str]) -> set[str]:
        self._etc.mkdir(parents=True, exist_ok=True)
        changed = [name for name, text in files.items() if write_changed(self._etc / name, text)]
        return {_DIALPLAN if name.startswith("fallback") else _PJSIP for name in changed}


def render(wanted: Provisioning, edge: Edge | None = None, addresses: Addresses | None = None) -> dict[str, str]:
    """File names and their whole texts; behind an edge with the ``addresses`` that hosts of trunks lead to. Raises
    ProvisionError for a value that is none."""
    trunks = [render_trunk(trunk, wanted.registers) for trunk in wanted.trunks]
    peers = [render_peer(peer) for peer in wanted.peers]
    return {
        "pjsip_users.conf": _HEAD + "\n".join(render_device(device) for device in wanted.devices),
        "pjsip_trunks.conf": _HEAD
        + "\n".join([*trunks, *peers, *([render_edge(edge, wanted.trunks, addresses or {})] if edge else [])]),
        "fallback_generated.conf": _HEAD
        + render_fallback(wanted.fallback, wanted.emergency, wanted.gate, wanted.spool, wanted.peers),
    }


def render_device(device: Device) -> str:
    """Endpoint, credentials and address of record of one phone, all named like the phone."""
    name = checked(ID, device.id, "device")
    lines = [
        f"[{name}]({'device-tls' if device.transport == 'tls' else 'device'})",
        *(f"{option} = {value}" for option, value in endpoint_options(device)),
        *_codec_lines(device.codecs, name),
    ]
    if device.mailbox:
        lines.append(f"mailboxes = {checked(_WORD, device.mailbox, f'mailbox of {name}')}")
    if device.allow_transfer:
        lines.append("allow_transfer = yes")
    lines += [f"[{name}](device-auth)", *(f"{option} = {value}" for option, value in auth_options(device))]
    lines.append(f"[{name}](device-aor)")
    return "\n".join(lines) + "\n"


def render_trunk(trunk: Trunk, registers: bool = True) -> str:
    """Endpoint, address, and how its calls are known: by address, by registration, or both. Where another Asterisk
    ``registers``, its calls come there."""
    name = checked(ID, trunk.id, "trunk")
    host = checked(_HOST, trunk.host, f"host of {name}")
    if not 1 <= trunk.port <= 65535:
        raise ProvisionError(f"The port of trunk {name} must be between 1 and 65535, not {trunk.port}.")
    server = f"sip:{host}:{trunk.port}" + (rf"\;transport={trunk.transport}" if trunk.transport != "udp" else "")
    lines = [f"[{name}](trunk)", f"aors = {name}", f"transport = transport-{trunk.transport}"]
    lines += _codec_lines(trunk.codecs, name)
    if trunk.transport == "tls":
        lines += ["media_encryption = sdes", "media_encryption_optimistic = yes"]
    if trunk.from_domain:
        lines.append(f"from_domain = {checked(_HOST, trunk.from_domain, f'domain of {name}')}")
    if trunk.username:
        lines.append(f"outbound_auth = {name}")
    lines += [f"[{name}](trunk-aor)", f"contact = {server}"]
    lines += _identify_lines(trunk, name) + _credential_lines(trunk, name)
    if trunk.mode == "registration" and registers:
        lines += _registration_lines(trunk, name, server, host)
    return "\n".join(lines) + "\n"


def render_peer(peer: Peer) -> str:
    """Another Asterisk of ours: known by its address and its port, as nobody else may ring our phones so."""
    name = checked(_PEER, peer.name, "node")
    at = checked(_HOST, f"{in_url(peer.host)}", f"address of {name}") + f":{peer.port}"
    return "\n".join(
        [
            f"[{name}](node)",
            f"aors = {name}",
            f"[{name}]",
            "type = aor",
            f"contact = sip:{at}",
            f"[{name}]",
            "type = identify",
            f"endpoint = {name}",
            "srv_lookups = no",
            f"match = {at}",
            "",
        ]
    )


def render_fallback(
    numbers: Sequence[FallbackNumber],
    emergency: Sequence[EmergencyNumber],
    gate: FallbackGate = _SHUT,
    spool: str = "",
    peers: Sequence[Peer] = (),
) -> str:
    """The contexts [fallback-did], [fallback-emergency] and those of the gate; see ``dialplans/fallback.conf`` for what
    they set. A spool with a name that MixMonitor() would take for more than a name is none: nothing is recorded then.
    """
    parts = ["[globals]", f"FALLBACK_SPOOL={spool if _FOLDER.fullmatch(spool) else ''}"]
    if peers:
        parts.append(f"FALLBACK_PEERS={'&'.join(checked(_PEER, peer.name, 'node') for peer in peers)}")
    parts.append("\n[fallback-did]")
    taken = {number.did for number in numbers}
    for number in numbers:
        parts += _fallback_lines(number)
        for form in number.forms:
            if form not in taken:
                taken.add(form)
                parts.append(f"exten => {checked(_DIALLED, form, 'form of a DID')},1,Goto({number.did},1)")
    parts.append("\n[fallback-emergency]")
    for call in emergency:
        steps = [*_variables("TRUNK", call.routes), *_shown(call), "Goto(emergency,s,1)"]
        parts += extension(checked(_DIALLED, call.number, "emergency number"), steps)
    return "\n".join([*parts, *render_gate(gate)]) + "\n"


def _shown(call: EmergencyNumber) -> list[str]:
    return [f"Set(SHOWN={checked(E164, call.caller_id, 'caller id of emergency calls')})"] if call.caller_id else []


def _fallback_lines(number: FallbackNumber) -> list[str]:
    did = checked(E164, number.did, "DID")
    phones = "-".join(checked(ID, device, "device") for device in number.devices)
    steps = [
        f"Set(OWNER={did})",
        f"Set(PHONES={phones})",
        f"Set(RING_S={max(1, min(int(number.ring_s), 300))})",
        f"Set(USER_LANGUAGE={checked(LANGUAGE, number.language, 'language')})",
        *recorded(number.record, number.announce),
        *_variables("FORWARD", number.forward),
        "Return()",
    ]
    return extension(did, steps)


def _variables(name: str, routes: Iterable[Route]) -> list[str]:
    return [f"Set({name}_{index}={_dial(route)})" for index, route in enumerate(list(routes)[:9], start=1)]


def _dial(route: Route) -> str:
    number = checked(_DIALLED, route.number, "number to dial")
    return f"PJSIP/{number}@{checked(ID, route.trunk, 'trunk')}"


def _identify_lines(trunk: Trunk, name: str) -> list[str]:
    matches = [checked(_MATCH, match, f"address of {name}") for match in sources(trunk)]
    if not matches:
        return []
    addresses = [_beside_browsers(match, trunk.port) for match in matches]
    head = [f"[{name}]", "type = identify", f"endpoint = {name}", "srv_lookups = no"]
    return [*head, *(f"match = {match}" for match in addresses)]


def _beside_browsers(match: str, port: int) -> str:
    """On this machine a trunk is known by its port, too: from here come the phones of browsers, by way of the engine,
    and would all be taken for the trunk."""
    return f"{match}:{port}" if match in _HERE else match


def _credential_lines(trunk: Trunk, name: str) -> list[str]:
    if not trunk.username:
        return []
    user = checked(_WORD, trunk.username, f"user name of {name}")
    return [f"[{name}]", "type = auth", "auth_type = digest", f"username = {user}", f"password = {_secret(trunk)}"]


def _registration_lines(trunk: Trunk, name: str, server: str, host: str) -> list[str]:
    if not trunk.username:
        raise ProvisionError(f"Trunk {name} registers and needs a user name: set one, or use it by address.")
    return [
        f"[{name}]",
        "type = registration",
        f"transport = transport-{trunk.transport}",
        f"outbound_auth = {name}",
        f"endpoint = {name}",
        "line = yes",
        f"server_uri = {server}",
        f"client_uri = sip:{trunk.username}@{host}:{trunk.port}",
        f"contact_user = {trunk.username.partition('@')[0]}",
        "expiration = 300",
        "retry_interval = 10",
        "forbidden_retry_interval = 60",
        "max_retries = 1000000",
        "auth_rejection_permanent = no",
    ]


def _codec_lines(codecs: Sequence[str], name: str) -> list[str]:
    if not codecs:
        return []
    return [f"allow = !all,{','.join(checked(_CODEC, codec, f'codec of {name}') for codec in codecs)}"]


def _secret(trunk: Trunk) -> str:
    secret = trunk.secret
    if not secret.isprintable() or secret != secret.strip() or not secret:
        raise ProvisionError(f"The secret of trunk {trunk.id} must be printable, without spaces around it.")
    return secret.replace(";", "\\;")  # a backslash stands for itself, even before this one
