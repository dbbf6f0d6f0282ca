"""One call: it takes an event and the time, and gives facts and commands."""

from pbx.core.call.machine import begin, handle
from pbx.core.call.model import Call, Leg, Role
from pbx.core.call.states import MOVES, State

__all__ = ["MOVES", "Call", "Leg", "Role", "State", "begin", "handle"]
