"""Sends what a webhook is told: to public addresses only, past no redirect, and without reading much of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from crm.web_addresses import NotAllowed
from pbx.adapters.public_http import Failed, PublicHttp, Reply
from pbx.core.webhooks import Answer

MOST_BYTES = 4_096
AGENT = "Switchhook-Webhooks/1"


class WebhookPost:
    def __init__(self, http: PublicHttp) -> None:
        self._http = http

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        sent = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
        try:
            reply = await self._http.request("POST", url, headers=sent, body=body, most_bytes=MOST_BYTES)
        except NotAllowed:
            return Answer(error="not_allowed")
        except Failed as failed:
            return Answer(error="no_answer" if failed.late else "broken_off" if failed.left else "unreachable")
        return Answer(reply.status, asked=_asked(reply))


def _asked(reply: Reply) -> timedelta:
    """Of when to come again; a date instead of seconds is left aside."""
    text = reply.headers.get("retry-after", "")
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else timedelta()
