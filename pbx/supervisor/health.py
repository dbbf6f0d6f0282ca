"""Asking the engine how it is, from this machine; `python -m pbx.supervisor.health` is a health check by exit code."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import Any

from pbx.config import Config


def engine_url(config: Config) -> str:
    """Where this machine reaches the engine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.http_host, config.http_host)
    return f"http://{host}:{config.http_port}"


def ready(config: Config, timeout_s: float = 2.0) -> dict[str, Any] | None:
    """What the engine says of itself; None where nothing that is an engine answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{engine_url(config)}/readyz", timeout=timeout_s) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    except OSError:
        return None
    try:
        state = json.loads(body)
    except ValueError:
        return None
    return state if isinstance(state, dict) else None


if __name__ == "__main__":
    sys.exit(0 if (ready(Config.load()) or {}).get("ready") else 1)
