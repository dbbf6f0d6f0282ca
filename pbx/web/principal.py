"""Who asks: a signed-in user, or a program with a token that acts for one."""

from __future__ import annotations

from dataclasses import dataclass

from crm.records import LoginSession, Token, User
from crm.unit_of_work import Actor
from pbx.web.declare import Right, Route
from pbx.web.problems import BadRequest

_RANK = {"rep": 1, "manager": 2, "admin": 3}
_NEEDS = {Right.REP: 1, Right.MANAGER: 2, Right.ADMIN: 3, Right.OPERATOR: 3}


@dataclass(frozen=True, slots=True)
class Principal:
    """Exactly one of ``session`` and ``token`` stands."""

    user: User
    session: LoginSession | None = None
    token: Token | None = None

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
        return self.token.id if self.token else self.user.id

    @property
    def sees_all(self) -> bool:
        return _RANK[self.user.role] >= _RANK["manager"]

    @property
    def is_admin(self) -> bool:
        return self.user.role == "admin"

    @property
    def actor(self) -> Actor:
        if self.token is not None:
            return Actor("token", self.token.id, self.user.name, self.user.role)
        return self.author

    @property
    def author(self) -> Actor:
        """Whose notes and deals these are: what a program writes with a token is its user's."""
        return Actor("user", self.user.id, self.user.name, self.user.role)

    def check(self, route: Route) -> None:
        """Raises 403 unless the user's role and the token's scopes reach this route."""
        if _RANK[self.user.role] < _NEEDS[route.right]:
            needed = next(role for role, rank in _RANK.items() if rank == _NEEDS[route.right])
            raise BadRequest(403, "forbidden", f"Only users with the role “{needed}” or more may do this.")
        if self.token is not None and route.scope not in self.token.scopes:
            if route.scope is None:
                raise BadRequest(403, "token_not_allowed", "API tokens may not do this. Sign in to do it.")
            raise BadRequest(403, "scope_missing", f"This token lacks the scope “{route.scope}”. Make one that has it.")


def forbidden(detail: str) -> BadRequest:
    return BadRequest(403, "forbidden", detail)
