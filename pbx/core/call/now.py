"""How a call stands at this moment, as the console's panel shows it: folded from its facts, not kept in the store.

Who is host and guest, who is held or muted, who is being invited (C4, C6, C9, V9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
PHONE, RECONNECTING = "phone", "reconnecting"


@dataclass(slots=True)
class Now:
    host: str = ""
    guest: str = ""
    muted: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # by which host
    holding: list[str] = field(default_factory=list)  # whose own phone holds
    invite: Row | None = None
    last_invite: Row | None = None
    unattended: bool = False
    waiting: list[str] = field(default_factory=list)  # with music, until somebody who has lost the page is back
    reconnecting: list[Row] = field(default_factory=list)

    def fold(self, kind: str, at: int, data: Row) -> None:
        handler = _FOLDS.get(kind)
        if handler is not None:
            handler(self, at, data)

    def view(self) -> Row:
        return {
            "host_leg": self.host or None,
            "guest_leg": self.guest or None,
            "muted": self.muted,
            "held": [{"leg": leg, "by": by} for leg, by in [*self.held.items(), *self._by_itself()]],
            "invite": self.invite,
            "last_invite": self.last_invite,
            "unattended": self.unattended,
            "reconnecting": self.reconnecting,
        }

    def _by_itself(self) -> list[tuple[str, str]]:
        return [(leg, PHONE) for leg in self.holding] + [(leg, RECONNECTING) for leg in self.waiting]


def _answered(now: Now, at: int, data: Row) -> None:
    now.host = data["leg"]


def _muted(now: Now, at: int, data: Row) -> None:
    now.muted = [*_others(now.muted, data["leg"]), data["leg"]]


def _unmuted(now: Now, at: int, data: Row) -> None:
    now.muted = _others(now.muted, data["leg"])


def _held(now: Now, at: int, data: Row) -> None:
    if data["by"] == PHONE:
        now.holding = [*_others(now.holding, data["leg"]), data["leg"]]
    elif data["by"] == RECONNECTING:
        now.waiting = [*_others(now.waiting, data["leg"]), data["leg"]]
    else:
        now.held = {**now.held, data["leg"]: data["by"]}


def _unheld(now: Now, at: int, data: Row) -> None:
    if data["by"] == PHONE:
        now.holding = _others(now.holding, data["leg"])
    elif data["by"] == RECONNECTING:
        now.waiting = _others(now.waiting, data["leg"])
    else:
        now.held = {leg: by for leg, by in now.held.items() if leg != data["leg"]}


def _invite_created(now: Now, at: int, data: Row) -> None:
    named = {name: data[name] for name in ("guest_kind", "guest", "name", "number")}
    now.invite, now.last_invite = {**named, "since_us": at, "ringing": False}, None


def _ringing(now: Now, at: int, data: Row) -> None:
    """Of the legs that ring in a call that stands, there are only a guest's."""
    if now.invite is not None:
        now.invite = {**now.invite, "ringing": True}


def _invite_ended(now: Now, at: int, data: Row) -> None:
    if now.invite is not None:
        ending = {"result": data["result"], "reason": data.get("reason") or None, "ended_us": at}
        now.last_invite, now.invite = {**now.invite, "ringing": False, **ending}, None


def _guest_joined(now: Now, at: int, data: Row) -> None:
    now.guest, now.invite = data["leg"], None


def _host_changed(now: Now, at: int, data: Row) -> None:
    now.host = data["leg"]
    now.guest = "" if now.guest == data["leg"] else now.guest


def _party_left(now: Now, at: int, data: Row) -> None:
    now.guest = "" if now.guest == data["leg"] else now.guest
    _silenced(now, at, data)
    _expected_no_more(now, data["leg"])


def _silenced(now: Now, at: int, data: Row) -> None:
    """Its leg is gone."""
    now.held = {leg: by for leg, by in now.held.items() if leg != data["leg"]}
    now.holding = _others(now.holding, data["leg"])
    now.waiting = _others(now.waiting, data["leg"])
    _unmuted(now, at, data)


def _lost(now: Now, at: int, data: Row) -> None:
    """Before an answer nobody waits for it."""
    if not data["wait_ms"]:
        return
    _silenced(now, at, data)
    named = {"leg": data["leg"], "user_id": data["user_id"]}
    now.reconnecting = [*now.reconnecting, {**named, "since_us": at, "until_us": at + data["wait_ms"] * 1000}]


def _back(now: Now, at: int, data: Row) -> None:
    now.host = data["leg"] if now.host == data["before"] else now.host
    now.guest = data["leg"] if now.guest == data["before"] else now.guest
    _expected_no_more(now, data["before"])


def _expected_no_more(now: Now, leg: str) -> None:
    now.reconnecting = [each for each in now.reconnecting if each["leg"] != leg]


def _unattended(now: Now, at: int, data: Row) -> None:
    now.host, now.unattended = "", True


def _waiting(now: Now, at: int, data: Row) -> None:
    """Handed on by a host who has hung up; the one to whom it is handed on has not answered yet."""
    now.host = ""


def _others(names: list[str], but: str) -> list[str]:
    return [name for name in names if name != but]


_FOLDS: dict[str, Callable[[Now, int, Row], None]] = {
    "call.answered": _answered,
    "leg.muted": _muted,
    "leg.unmuted": _unmuted,
    "leg.held": _held,
    "leg.unheld": _unheld,
    "leg.ringing": _ringing,
    "invite.created": _invite_created,
    "invite.ended": _invite_ended,
    "guest.joined": _guest_joined,
    "host.changed": _host_changed,
    "party.left": _party_left,
    "phone.lost": _lost,
    "phone.back": _back,
    "call.unattended": _unattended,
    "transfer.waiting": _waiting,
}
