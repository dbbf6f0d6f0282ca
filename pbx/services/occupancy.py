"""Who is on a call now: a user who is gets no second one (I6), and the console shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pbx.core.call import Call, State
from pbx.core.commands import Fact
from pbx.core.ids import CallId

_ON_A_CALL = frozenset({State.TALKING.value, State.DIALLING.value, State.PREPARING.value})


class Occupancy:
    """An observer of the calls; ``find`` gives a live call by its id."""

    def __init__(self, find: Callable[[str], Call | None]) -> None:
        self._find = find
        self._calls_of: dict[str, set[CallId]] = {}
        self._users_of: dict[CallId, set[str]] = {}

    def busy(self, user_id: str) -> bool:
        return bool(self._calls_of.get(user_id))

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            if fact.kind == "call.ended":
                self._left(call)
            elif fact.kind == "call.created" and fact.data.get("from_user"):
                self._joined(call, str(fact.data["from_user"]))
            elif fact.kind == "guest.joined" and fact.data["user_id"]:
                self._joined(call, str(fact.data["user_id"]))
            elif fact.kind == "party.left" and fact.data["user_id"]:
                self._user_left(call, str(fact.data["user_id"]))
            elif fact.kind == "call.state" and fact.data["state"] in _ON_A_CALL:
                found = self._find(call)
                if found is not None and found.person is not None:
                    self._joined(call, found.person.user_id)

    def taken_over(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        """Who is in the call is known of its state now, not of earlier ones."""
        states = [each for each in facts if each[1].kind == "call.state"]
        self.happened(call, [each for each in facts if each[1].kind != "call.state" or each is states[-1]])

    def _joined(self, call: CallId, user_id: str) -> None:
        self._calls_of.setdefault(user_id, set()).add(call)
        self._users_of.setdefault(call, set()).add(user_id)

    def _left(self, call: CallId) -> None:
        for user_id in list(self._users_of.get(call, ())):
            self._user_left(call, user_id)

    def _user_left(self, call: CallId, user_id: str) -> None:
        """Out of this call, which may go on without them."""
        users, calls = self._users_of.get(call, set()), self._calls_of.get(user_id, set())
        users.discard(user_id)
        calls.discard(call)
        if not users:
            self._users_of.pop(call, None)
        if not calls:
            self._calls_of.pop(user_id, None)
