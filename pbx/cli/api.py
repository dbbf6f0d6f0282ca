"""Asking the running engine through its API, as one of the users.

The command line has the database and so may make itself a token: one per user and purpose, kept 0600 in the home
directory, short of scopes and of life, and made anew when the engine does not know it any more.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click

from crm import ids
from pbx.cli.app import App
from pbx.config import write_private
from pbx.supervisor.health import engine_url

_SCOPES = ("calls:read", "calls:write")
_DAYS = 30
_TIMEOUT_S = 15.0
_FILE = "cli-tokens.json"


@dataclass(frozen=True, slots=True)
class Api:
    """The engine as this user sees it; ``user`` is an id or e-mail address."""

    app: App
    user: str
    scopes: tuple[str, ...] = _SCOPES
    timeout_s: float = _TIMEOUT_S

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, body or {})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """The answer's JSON. Raises ClickException with the engine's own sentence."""
        key = ids.ulid()  # the same for the second try: nothing is dialled twice
        try:
            return self._once(method, path, body, key, self._token())
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise click.ClickException(_sentence(error)) from error
        try:
            return self._once(method, path, body, key, self._token(again=True))
        except urllib.error.HTTPError as error:
            raise click.ClickException(_sentence(error)) from error

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None, key: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
        data = json.dumps(body).encode() if body is not None else None
        url = f"{engine_url(self.app.config)}/api/v1{quote(path)}"
        request = urllib.request.Request(url, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.timeout_s) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError:
            raise
        except OSError as error:
            raise click.ClickException(
                f"No engine answers at {engine_url(self.app.config)}: start it with “make up”."
            ) from error

    def _token(self, *, again: bool = False) -> str:
        from crm.services import tokens, users

        path = self.app.config.home / _FILE
        kept = _read(path.read_text()) if path.exists() else {}
        user = self.app.read(lambda session: users.show(session, self.user))
        name = user.id if self.scopes == _SCOPES else " ".join((user.id, *self.scopes))
        if name not in kept or again:
            values = {"name": "pbx command line", "scopes": list(self.scopes), "expires_in_days": _DAYS}
            kept[name] = self.app.write(lambda work: tokens.add(work, user.id, values)).secret
            write_private(path, json.dumps(kept))
        return kept[name]


def _read(text: str) -> dict[str, str]:
    """A damaged file is as good as none: tokens are made anew."""
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    return {str(user): str(token) for user, token in kept.items()} if isinstance(kept, dict) else {}


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.loads(error.read())
        return str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, AttributeError):
        return f"The engine answered {error.code} ({error.reason}). See “pbx logs”."
