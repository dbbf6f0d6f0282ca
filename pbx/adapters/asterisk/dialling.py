"""The far leg of a call that hears early media: created, put into the bridge, dialled.

Everybody who waits for the far end waits for this, so nothing here waits that need not. Making a channel takes
Asterisk a millisecond (measured, 22.10.1), so it is asked for over a connection of its own, while over the other the
bridge is made and the caller put into it. Our Asterisk (embedded/patches) is asked at once for all of it: the channel
joins the bridge by itself when somebody is there, and dials, and nothing is heard of it but that it rings. Another
one tells that the channel has entered Stasis, and is then asked for the rest; asked before that, a join is refused
while the dial behind it may not be, and the 180 that it brings is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from pbx.adapters.asterisk.ari import Json, OnAnswer
from pbx.adapters.asterisk.endings import HANDLER
from pbx.core.commands import DialOut
from pbx.core.ids import CallId, LegId

APP = "switchhook"
BINDING_HEADER = "X-Switchhook-Binding"
CALL_VARIABLE = "SWITCHHOOK_CALL"
CONFLICT = 409  # a leg of that name is there already: it was asked for twice


class Send(Protocol):
    def __call__(
        self,
        method: str,
        uri: str,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        on_answer: OnAnswer | None = None,
        *,
        quiet: bool = False,
    ) -> None: ...


class Failing(Protocol):
    def __call__(self, call: CallId, what: str, leg: LegId, *well: int) -> OnAnswer:
        """Gives what takes an answer, and tells the call where it is a refusal that is not ``well``."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How a phone is rung that is registered on another node: what is dialled, and which binding is to ring there."""

    dial: str
    binding: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    call: CallId
    command: DialOut


class Dialling:
    """The legs that are being made. ``send`` writes a request to Asterisk in order; what ``aside`` gives, out of it."""

    def __init__(self, send: Send, aside: Callable[[], Send], failing: Failing) -> None:
        self._send = send
        self._aside = aside
        self._failing = failing
        self._wanted: dict[LegId, _Wanted] = {}

    def begin(self, call: CallId, command: DialOut, originator: str) -> None:
        """Make the leg, unless that was begun already; ``originator`` is the channel whose codecs it should prefer, or
        empty."""
        leg = command.leg
        if leg in self._wanted:
            return
        self._wanted[leg] = _Wanted(call, command)
        query = {"endpoint": command.dial, "app": APP, "appArgs": f"dial,{leg}", "channelId": leg}
        if originator:
            query["originator"] = originator
        # The number that the far end sees (V6) is set here, and no bridge hands another one on.
        variables = {CALL_VARIABLE: call, "CONNECTEDLINE(num,i)": command.caller_id, **HANDLER}
        dial = {"bridge": str(command.bridge), "timeout": int(seconds(command.timeout))}

        def made(status: int, content: Any) -> None:
            if status == CONFLICT:  # it was made before, by an engine that got no further
                self.came(leg)
            elif leg in self._wanted and not 200 <= status < 300:
                self.drop(leg)
                self._failing(call, "create", leg)(status, content)

        self._aside()("POST", "channels/create", query, {"variables": variables, "dial": dial}, made, quiet=True)

    def came(self, leg: LegId) -> None:
        """It has entered Stasis: joined first, as a 180 or 183 that came before that would be lost, and dialled."""
        wanted = self._wanted.pop(leg, None)
        if wanted is None:  # hung up before it was there: that may have found nothing to hang up
            self._send("DELETE", f"channels/{leg}")
            return
        command, failed = wanted.command, self._failing(wanted.call, "join", leg)

        def joined(status: int, content: Any) -> None:
            if status:  # a lost link says nothing: they may well hear each other
                failed(status, content)

        self._send("POST", f"bridges/{command.bridge}/addChannel", joining(leg), on_answer=joined, quiet=True)
        timeout = {"timeout": seconds(command.timeout)}
        failed = self._failing(wanted.call, "dial", leg, CONFLICT)  # it has been dialled, by itself or by us
        self._send("POST", f"channels/{leg}/dial", timeout, on_answer=failed)

    def rings(self, leg: LegId) -> None:
        """It has been made and dialled: that is not undone by what is heard, or not heard, of it later."""
        self._wanted.pop(leg, None)

    def drop(self, leg: LegId) -> Send:
        """The leg shall not be dialled any more. Gives what reaches it: where it is being made, only what is asked for
        in the order of that finds it."""
        return self._send if self._wanted.pop(leg, None) is None else self._aside()


def joining(*channels: str) -> dict[str, str]:
    """What is asked when channels are put into a bridge: numbers that one side shows are not handed to the other."""
    return {"channel": ",".join(channels), "inhibitConnectedLineUpdates": "true"}


def seconds(length: timedelta) -> str:
    return str(max(1, int(length.total_seconds())))
