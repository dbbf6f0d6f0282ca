"""The doctor: each layer from the bottom up, what is wrong there and what to do (A3).

Asked by the command line, and by the engine for its console, in a thread: it looks at files, ports and processes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pbx.config import Config, ConfigError
from pbx.supervisor.health import engine_url, ready

if TYPE_CHECKING:
    from pbx.adapters.asterisk.find import Status

State = Literal["ok", "warn", "fail"]
PRACTICE_HOST = "127.0.0.1"
"""Where the demo's carrier is: it calls nobody."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``sentence`` says what was found and, where that is not good, the remedy behind a colon."""

    layer: str
    state: State
    sentence: str

    @property
    def message(self) -> str:
        return self._parts()[0]

    @property
    def remedy(self) -> str:
        return self._parts()[1]

    def view(self) -> dict[str, str]:
        return {"layer": self.layer, "state": self.state, "message": self.message, "remedy": self.remedy}

    def _parts(self) -> tuple[str, str]:
        found, colon, remedy = self.sentence.partition(": ")
        if self.state == "ok" or not colon:
            return self.sentence, ""
        return f"{found}.", remedy[:1].upper() + remedy[1:]


def findings(config: Config, *, sound: bool = False) -> Iterator[Finding]:
    """In the order in which one layer stands on the other. ``sound`` takes four seconds more."""
    yield Finding("config", "ok", f"Home {config.home}, cache {config.cache}.")
    yield _disk(config)
    yield from _database(config)
    yield _host_name()
    yield from _asterisk(config, sound)
    state = ready(config)
    yield _engine(config, state)
    yield from _nodes(state or {})
    if state is None:
        yield from _ports(config)
    yield _certificate(config)
    yield _nat(config)
    yield _paper(config)


async def examine(config: Config) -> list[dict[str, str]]:
    """In a thread, as the engine asks it, who is one of the layers and must answer meanwhile."""

    def look() -> list[dict[str, str]]:
        return [finding.view() for finding in findings(config)]

    return await asyncio.to_thread(look)


def _disk(config: Config) -> Finding:
    from pbx.supervisor.checks import check_room
    from pbx.supervisor.errors import CannotStart

    place = next(path for path in (config.home, *config.home.parents) if path.exists())
    try:
        check_room(place)
    except CannotStart as error:
        return Finding("disk", "fail", str(error))
    return Finding("disk", "ok", f"{shutil.disk_usage(place).free / 1e9:.1f} GB free for calls and recordings.")


def _database(config: Config) -> Iterator[Finding]:
    from crm.errors import Refused
    from pbx.supervisor.checks import check_database

    try:
        check_database(config)
        counts, problem = asyncio.run(_looked_into(config))
    except (ConfigError, Refused) as error:
        yield Finding("database", "fail", str(error))
        return
    yield Finding("database", "ok", f"It answers; {counts['users']} users, {counts['numbers']} numbers.")
    if problem is not None:
        text = f"The audit log was changed from outside at entry {problem}: compare it with a backup."
        yield Finding("audit log", "fail", text)
    if not counts["trunks"]:
        yield Finding(
            "trunk", "warn", "No trunk is switched on, so no outside call can leave: see “pbx trunk add --help”."
        )
    else:
        yield Finding("trunk", "ok", f"{counts['trunks']} switched on.")
    if counts["out_at_any_hour"]:
        yield Finding(
            "calling hours",
            "warn",
            "Calling hours are switched off, so people may be called or texted at any hour: before you call real ones, "
            "run “pbx setting change gate.calling_hours listed” and “pbx setting change texts.calling_hours first”.",
        )


async def _looked_into(config: Config) -> tuple[dict[str, int], int | None]:
    from crm.unit_of_work import Store

    store = Store(config.database_url)
    try:
        async with store.read() as session:
            return await _counts(session)
    finally:
        await store.close()


async def _counts(session: Any) -> tuple[dict[str, int], int | None]:
    from crm.services import audit, numbers, settings, trunks, users

    values = await settings.values(session)
    carriers = [trunk for trunk in await trunks.list_all(session) if trunk.enabled]
    held = all(values[name] != "off" for name in ("gate.calling_hours", "texts.calling_hours"))
    counts = {
        "users": len(await users.list_all(session)),
        "numbers": len(await numbers.list_all(session)),
        "trunks": len(carriers),
        "out_at_any_hour": not held and any(trunk.host != PRACTICE_HOST for trunk in carriers),
    }
    return counts, await audit.verify(session)


def _host_name() -> Finding:
    from pbx.adapters.asterisk.instance import hosts_warning

    warning = hosts_warning()
    return Finding("host name", "warn" if warning else "ok", warning or "/etc/hosts names this machine.")


def _asterisk(config: Config, sound: bool) -> Iterator[Finding]:
    from pbx.adapters.asterisk import find

    status = asyncio.run(find.status(config))
    if status.system and status.system.problem:
        yield Finding("Asterisk", "ok", f"The system's own is not used ({status.system.problem}).")
    if status.used is None and config.nodes:
        return  # it may run on other machines
    if status.used is None:
        yield Finding("Asterisk", "fail", "None is there yet: run “pbx asterisk build” (about four minutes).")
        return
    yield Finding("Asterisk", "ok", f"{status.used.version} in {status.used.prefix}.")
    if sound:
        yield _sound(status)


def _sound(status: Status) -> Finding:
    from pbx.adapters.asterisk.embedded.errors import BuildError
    from pbx.adapters.asterisk.selftest import self_test

    assert status.used is not None
    try:
        verdict = asyncio.run(self_test(status.used.prefix))
    except BuildError as error:
        return Finding("sound", "fail", str(error))
    if verdict.sound:
        return Finding("sound", "ok", verdict.sentence)
    return Finding("sound", "fail", f"{verdict.sentence.rstrip('.')}: build ours with “pbx asterisk build --again”.")


def _engine(config: Config, state: dict[str, Any] | None) -> Finding:
    if state is None:
        return Finding(
            "engine", "fail", f"None answers at {engine_url(config)}: start it with “make up” or “pbx serve”."
        )
    faults: list[tuple[Callable[[], bool], str]] = [
        (lambda: not state.get("store", True), "It runs, but the database does not answer it: see “pbx logs”."),
        (lambda: not state.get("asterisk"), "It runs, but Asterisk does not answer it: see “pbx logs asterisk”."),
        (lambda: not state.get("manager", True), "Asterisk's manager interface does not answer it: see “pbx logs”."),
        (
            lambda: not state.get("intruders_heard", True),
            "Asterisk does not tell it who guesses passwords, so nobody is blocked: start Asterisk again.",
        ),
        (lambda: bool(state.get("draining")), "It takes no new calls before a restart: “pbx drain off” ends that."),
        (lambda: bool(state.get("overloaded")), "It is at its limit and refuses new calls: add a node, or wait."),
        (lambda: bool(state.get("recording_withheld")), "No recording is begun: make room on the disk."),
    ]
    for holds, sentence in faults:
        if holds():
            return Finding("engine", "fail", sentence)
    return Finding("engine", "ok", f"It takes calls; {state.get('calls', 0)} up.")


def _nodes(state: dict[str, Any]) -> Iterator[Finding]:
    """Where there are several Asterisks, each; the engine works with one that is there."""
    for node in state.get("nodes", ()):
        name, address = node["name"], node["address"]
        if not node["linked"]:
            text = f"Node {name} at {address} does not answer: see there whether “pbx node run {name}” runs."
            yield Finding("node", "fail", text)
        elif node["overloaded"]:
            text = f"Node {name} at {address} is at its limit and refuses new calls: add a node, or wait."
            yield Finding("node", "warn", text)
        else:
            yield Finding("node", "ok", f"Node {name} at {address} takes calls; {node['calls']} up.")


def _ports(config: Config) -> Iterator[Finding]:
    """Looked at only while nothing of ours runs."""
    from pbx.supervisor.checks import check_ports
    from pbx.supervisor.errors import CannotStart
    from pbx.supervisor.supervise import ports_of

    if not config.home.exists():
        return
    for port in ports_of(config, practice=False):
        try:
            check_ports([port])
        except CannotStart as error:
            yield Finding("ports", "fail", str(error))


def _certificate(config: Config) -> Finding:
    from cryptography import x509

    path = config.home / "tls" / "certificate.pem"
    if not path.exists():
        return Finding("certificate", "ok", "One for phones over TLS is made at the first start.")
    try:
        left = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - datetime.now(UTC)
    except (ValueError, OSError):
        return Finding("certificate", "fail", f"{path} cannot be read: put a PEM certificate there, or delete it.")
    if left < timedelta(0):
        return Finding("certificate", "fail", f"{path} has expired: delete it, a new one is made at the next start.")
    state: State = "ok" if left > timedelta(days=14) else "warn"
    return Finding("certificate", state, f"For phones over TLS, {left.days} days left.")


def _nat(config: Config) -> Finding:
    from pbx.supervisor.screen import lan_address

    address = lan_address()
    if config.external_address:
        return Finding("NAT", "ok", f"Phones outside reach us at {config.external_address}, as set.")
    if ipaddress.ip_address(address).is_loopback:
        return Finding("NAT", "warn", "This machine is on no network: connect it, as only phones on it can reach it.")
    if ipaddress.ip_address(address).is_private:
        text = f"This machine is {address}, a private address: phones outside need external_address and local_nets."
        return Finding("NAT", "warn", text)
    return Finding("NAT", "ok", f"This machine has the public address {address}.")


def _paper(config: Config) -> Finding:
    from pbx.adapters import paper_fonts

    found = paper_fonts.choose(config.paper_font)
    if found.problem:
        text = f"Bills cannot be set in {config.paper_font}, as {found.problem}: correct paper_font, or leave it empty."
        return Finding("paper", "warn", text)
    if found.file is not None:
        return Finding("paper", "ok", f"Japanese on bills is embedded from {found.file}.")
    text = f"Japanese on bills is set in the reader's own font; to embed one, install {paper_fonts.PACKAGE}."
    return Finding("paper", "ok", text)
