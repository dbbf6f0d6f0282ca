"""The one screen that `pbx up` shows: where to go, who can log in, what to dial."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from pbx.config import Config
from pbx.services.practice import NUMBERS
from pbx.supervisor.demo import Login
from pbx.supervisor.health import engine_url

_LANGUAGES = {"ja": "console in Japanese"}


def lan_address() -> str:
    """The address by which other machines most likely reach this one. Nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def first_screen(config: Config, logins: Sequence[Login], *, practice: bool, admins: bool = True) -> str:
    """``admins``: whether there is one who can sign in."""
    parts = [_where(config, bool(logins)), *(_people(logins) if logins else _without_demo(admins))]
    if practice:
        parts += _practice(logins)
    parts.append(
        f"Logs: {config.home / 'log'} (pbx logs -f).  Commands: .venv/bin/pbx --help.  Ctrl-C stops everything."
    )
    return "\n".join(["", *parts, ""])


def _where(config: Config, demo: bool) -> str:
    server = lan_address() if config.sip_host in ("0.0.0.0", "::") else config.sip_host
    who, secret = ("somebody below", "as below") if demo else ("your admin", "of a phone that you add")
    return (
        f"Switchhook runs.  Open {engine_url(config)} and sign in as {who}: calls ring in the browser.\n"
        f"API description: {engine_url(config)}/api/v1/openapi.json\n"
        f"Desk phones: server {server}, port {config.sip_port} (UDP or TCP), {config.sip_tls_port} (TLS), "
        f"with user and secret {secret}."
    )


def _without_demo(admins: bool) -> list[str]:
    if admins:
        return [""]
    return [
        "",
        "Nobody can sign in yet. Make the first admin, in a second terminal; the second line prints the password:",
        '  .venv/bin/pbx user add --email you@example.com --name "Your Name" --role admin',
        "  .venv/bin/pbx user password you@example.com",
        "",
    ]


def _people(logins: Sequence[Login]) -> list[str]:
    rows = [
        f"  {login.email:<22}{login.password:<34}{login.role:<9}{login.name:<12}{login.number or 'no number':<13}"
        f"{_LANGUAGES.get(login.language, '')}".rstrip()
        for login in logins
    ]
    phones = [
        f"  {login.name:<12} user {login.device}   secret {login.secret}   number {login.number}"
        for login in logins
        if login.device
    ]
    return ["", "Logins (e-mail, password)", *rows, "", "A desk phone for each", *phones]


def _practice(logins: Sequence[Login]) -> list[str]:
    cells = [f"{number} {what['en']:<24}" for number, what in NUMBERS.items()]
    rows = ["  " + "  ".join(cells[start : start + 2]).rstrip() for start in range(0, len(cells), 2)]
    number = next((login.number for login in logins if login.number), "+1…")
    return [
        "",
        "Practice numbers to dial (160 to 199 answer with a steady tone)",
        *rows,
        f"To be called: .venv/bin/pbx practice call +12065550142 --to {number}",
        "",
    ]
