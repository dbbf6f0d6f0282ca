"""For tests that write files for Asterisk and have no browsers."""

from __future__ import annotations

from pathlib import Path

from pbx.adapters.asterisk.browsers import BrowserEndpoints


def no_browsers(etc: Path) -> BrowserEndpoints:
    """Reads the templates in this folder; Asterisk has no phone of a browser and is told of none."""

    async def ask(method: str, address: str, body: object) -> list[object]:
        assert (method, address) == ("GET", "endpoints/PJSIP"), address
        return []

    return BrowserEndpoints(etc, ask)
