"""Who can be reached now: registered phones and calls of each user, as the console shows colleagues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crm.directory import Directory
from crm.records import User

Shown = dict[str, Any]


class PresenceView:
    """Computed from what the engine holds in memory; remembers what it last said, to tell only changes."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        registered: Callable[[], Mapping[str, int]],
        busy: Callable[[str], bool],
    ) -> None:
        self._directory = directory
        self._registered = registered
        self._busy = busy
        self._last: dict[str, Shown] = {}

    def of(self, user_id: str) -> Shown | None:
        """None for a user who is not there or switched off."""
        directory = self._directory()
        user = directory.users.get(user_id)
        if user is None or not user.active:
            return None
        bindings = self._registered()
        phones = sum(bindings.get(device.id, 0) for device in directory.devices_of(user_id))
        state = "on_call" if self._busy(user_id) else _state(user, phones)
        return {"user_id": user_id, "name": user.name, "state": state, "phones": phones}

    def all(self) -> list[Shown]:
        found = (self.of(user_id) for user_id in sorted(self._directory().users))
        return [shown for shown in found if shown is not None]

    def changes(self, user_ids: Iterable[str] | None = None) -> list[Shown]:
        """What is other than last time, for these users or for everybody. A user who is gone is shown as such."""
        asked = set(user_ids) if user_ids is not None else set(self._last) | set(self._directory().users)
        changed = []
        for user_id in sorted(asked):
            now = self.of(user_id)
            if now == self._last.get(user_id):
                continue
            if now is None:
                del self._last[user_id]
                changed.append({"user_id": user_id, "name": "", "state": "gone", "phones": 0})
            else:
                self._last[user_id] = now
                changed.append(now)
        return changed


def _state(user: User, phones: int) -> str:
    if not user.available:
        return "away"
    return "available" if phones else "offline"
