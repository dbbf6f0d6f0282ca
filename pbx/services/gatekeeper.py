"""Asks the gate for everything that dials, with the facts of this very moment (P5).

Deciding and reserving are one step of one thread: of a thousand requests at once, exactly as many pass as the caps
allow. A reservation is held until its call is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from crm import ids
from crm.directory import Directory
from crm.rates import Rate
from crm.records import User
from pbx.core import gate
from pbx.core.call import Call, Role, State
from pbx.core.commands import FindRoute
from pbx.core.events import Direction, Route, RouteDecided
from pbx.core.ids import CallId, Instant
from pbx.services import legal_hours, numbers
from pbx.services.routing import Routing
from pbx.services.spending import Spending

log = structlog.get_logger("gate")

_FORWARDING = frozenset({"forward", "own_forwarding"})
INVITE = "invite"


class Gate:
    """``overloaded`` tells whether the switch is at its limit."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        routing: Routing,
        spending: Spending,
        overloaded: Callable[[], bool],
        now: Callable[[], Instant] = lambda: Instant(ids.now_us()),
    ) -> None:
        self._directory = directory
        self._routing = routing
        self._spending = spending
        self._overloaded = overloaded
        self._now = now
        self._held: dict[CallId, str] = {}
        self._by_user: dict[str, int] = {}
        self._read_policy: tuple[Directory, gate.Policy] | None = None

    def decide(self, call: Call, request: FindRoute) -> RouteDecided:
        """The verdict on a call's wish, with the ways out; an allowed call is counted from now on.

        A number in the request is E.164 already, or a short emergency number; anything else is no number.
        """
        forwarding = request.purpose in _FORWARDING
        counted = held_as(call.id, request.purpose)
        try:
            verdict, decided = self._judge(
                request.user_id,
                request.number,
                holder=self._held.get(counted),
                forwarding=forwarding,
                timely=legal_hours.decides(self._directory(), request.purpose, call.listed),
                listed=call.listed,
                home=call.home,
            )
        except Exception:
            despite = None if forwarding else self._emergency_way(request)
            if despite is None:
                raise
            log.exception("gate.broke_for_emergency", call=call.id)
            return despite
        if verdict.reason is gate.Reason.EMERGENCY and forwarding:
            verdict, decided = gate.Verdict(False, gate.Reason.INVALID_NUMBER), ()  # nobody forwards to the police
        if verdict.allowed:
            rate = self._spending.price(request.number, decided[0].trunk_id if decided else None)
            self._hold(counted, request.user_id, rate)
        return RouteDecided(request.purpose, verdict, decided, request.number)

    def take_over(self, call: Call, purpose: str, since: Instant) -> None:
        """A call that an earlier engine let pass: it counts as before, ``since`` it was allowed."""
        user_id = call.person.user_id if call.person else ""
        if purpose == "own_forwarding" and call.direction is Direction.INTERNAL:
            user_id = call.from_user  # by now the call is about the colleague
        if purpose == INVITE:
            user_id = call.legs[call.host].user_id if call.host is not None and _outside_guest(call) else ""
        counted = held_as(call.id, purpose)
        if user_id and counted not in self._held and call.state is not State.ENDED:
            self._hold(counted, user_id, self._rate_of(call, purpose), since)

    def _rate_of(self, call: Call, purpose: str) -> Rate | None:
        """Of the leg that the call was let out for."""
        out = [leg for leg in call.legs.values() if leg.trunk_id and (leg.role is Role.GUEST) is (purpose == INVITE)]
        leg = next((each for each in reversed(out) if each.live), None)
        return self._spending.price(leg.number, leg.trunk_id) if leg is not None else None

    def _emergency_way(self, request: FindRoute) -> RouteDecided | None:
        """A fault of ours lets nothing pass but an emergency call, which needs nothing of what may be broken."""
        settings = self._directory().settings
        if not any(request.number in found for found in settings["emergency.numbers"].values()):
            return None
        verdict = gate.Verdict(True, gate.Reason.EMERGENCY, str(settings["emergency.caller_id"] or ""))
        routes = self._routing.routes(gate.Destination(request.number, emergency=True))
        return RouteDecided(request.purpose, verdict, routes, request.number)

    def check(self, user_id: str, number: str, *, listed: bool = False, home: str = "") -> gate.Verdict:
        """The same verdict without a call: for pickers, for call lists and for admins who ask why. Where the hour does
        not decide over a call by hand, the verdict warns of it."""
        directory = self._directory()
        timely = legal_hours.decides(directory, legal_hours.CUSTOMER, listed)
        verdict = self._judge(user_id, number, holder=None, timely=timely, listed=listed, home=home)[0]
        if timely or verdict.reason is not gate.Reason.ALLOWED or directory.settings["gate.calling_hours"] == "off":
            return verdict
        country = directory.users[user_id].country
        destination = numbers.read(number, country, directory.settings)
        return replace(verdict, untimely=legal_hours.untimely(directory, destination, self._now(), home))

    def trunk_for(self, user_id: str, number: str) -> str | None:
        """The trunk that a call to this number (E.164) would be tried by first."""
        directory = self._directory()
        user = directory.users.get(user_id)
        destination = numbers.read(number, user.country if user else "", directory.settings)
        return next((route.trunk_id for route in self._routing.routes(destination)), None)

    def release(self, call: Call) -> None:
        self._release(call.id, answered=call.answered_at is not None)
        self.give_back(call, INVITE)

    def give_back(self, call: Call, purpose: str) -> None:
        """One leg is over while its call goes on."""
        guests = (leg for leg in call.legs.values() if leg.role is Role.GUEST and leg.trunk_id)
        newest = next(reversed(list(guests)), None)
        self._release(held_as(call.id, purpose), answered=newest is not None and newest.answered)

    def _release(self, counted: CallId, *, answered: bool) -> None:
        user_id = self._held.pop(counted, None)
        if user_id is None:
            return
        self._by_user[user_id] -= 1
        if not self._by_user[user_id]:
            del self._by_user[user_id]
        self._spending.release(counted, answered=answered)

    @property
    def held(self) -> int:
        return len(self._held)

    def _judge(
        self,
        user_id: str,
        number: str,
        *,
        holder: str | None,
        forwarding: bool = False,
        timely: bool = False,
        listed: bool = False,
        home: str = "",
    ) -> tuple[gate.Verdict, tuple[Route, ...]]:
        """``holder`` is the user for whom the call is counted already: its second leg is the same call. ``timely`` has
        the hour decide, where the called person is or lives (``home``)."""
        directory = self._directory()
        user = directory.users.get(user_id)
        if user is None:
            return gate.Verdict(False, gate.Reason.NO_RIGHT), ()
        destination = numbers.read(number, user.country, directory.settings)
        if forwarding:
            destination = numbers.forwarded(destination, directory, user_id)
        routes = self._routing.routes(destination)
        policy = self._policy(directory)
        load = self._load(destination, policy, routes, others=len(self._held) - (holder is not None))
        verdict = gate.decide(
            destination,
            self._caller(user, directory, holder),
            policy,
            load,
            do_not_call=destination.e164 in directory.do_not_call,
            opted_out=listed and destination.e164 in directory.opted_out,
            untimely=legal_hours.untimely(directory, destination, self._now(), home) if timely else None,
        )
        if verdict.allowed and destination.emergency and not verdict.caller_id:
            verdict = gate.Verdict(True, verdict.reason, str(directory.settings["emergency.caller_id"] or ""))
        return verdict, routes if verdict.allowed else ()

    def _load(
        self, destination: gate.Destination, policy: gate.Policy, routes: tuple[Route, ...], *, others: int
    ) -> gate.Load:
        rate = self._spending.price(destination.e164, routes[0].trunk_id if routes else None)
        return gate.Load(
            concurrent=others,
            spent_micros=self._spending.organisation() if policy.spend_cap_micros is not None else 0,
            has_credit=self._spending.has_credit(rate),
            trunk_free=bool(routes),
            overloaded=self._overloaded(),
        )

    def _policy(self, directory: Directory) -> gate.Policy:
        """Read once from each directory: its lists are long, and every call asks."""
        if self._read_policy is None or self._read_policy[0] is not directory:
            self._read_policy = directory, policy(directory)
        return self._read_policy[1]

    def _caller(self, user: User, directory: Directory, holder: str | None) -> gate.Caller:
        number = directory.number_of(user.id)
        cap = user.max_concurrent
        spend = user.spend_cap_micros
        spend_cap = spend if spend is not None else directory.settings["gate.spend_cap_user_micros"]
        return gate.Caller(
            active=user.active,
            may_call=user.may_call,
            did=number.e164 if number else "",
            did_voice=number.voice if number else False,
            concurrent=self._by_user.get(user.id, 0) - (holder == user.id),
            max_concurrent=cap if cap is not None else directory.settings["gate.max_concurrent_user"],
            spent_micros=self._spending.user(user.id) if spend_cap is not None else 0,
            spend_cap_micros=spend_cap,
        )

    def _hold(self, call: CallId, user_id: str, rate: Rate | None, since: Instant | None = None) -> None:
        """Counted once, however many legs it is let out for; each of them is paid for."""
        if call not in self._held:
            self._held[call] = user_id
            self._by_user[user_id] = self._by_user.get(user_id, 0) + 1
        self._spending.reserve(call, user_id, rate, since)


def _outside_guest(call: Call) -> bool:
    """One who is invited by number takes part, or is being called."""
    return any(leg.trunk_id for leg in call.live_legs(Role.GUEST))


def held_as(call: CallId, purpose: str) -> CallId:
    """An outside guest counts as a call of its own (C3, C13); every other leg as the call itself."""
    return CallId(f"{call}/{INVITE}") if purpose == INVITE else call


def may_be_forwarded_to(user: User, directory: Directory) -> bool:
    """The gate's word on a user's forwarding number, as far as it does not depend on the moment: for the dialplan that
    stands in while the engine is away (P5)."""
    destination = numbers.read(user.forwarding_number or "", user.country, directory.settings)
    destination = numbers.forwarded(destination, directory, user.id)
    number = directory.number_of(user.id)
    caller = gate.Caller(user.active, user.may_call, user.number or "", number.voice if number else False)
    listed = destination.e164 in directory.do_not_call
    verdict = gate.decide(destination, caller, policy(directory), gate.Load(), do_not_call=listed)
    return verdict.allowed and not destination.emergency


def policy(directory: Directory) -> gate.Policy:
    settings = directory.settings
    return gate.Policy(
        allow_countries=frozenset(settings["gate.allow_countries"]),
        deny_countries=frozenset(settings["gate.deny_countries"]),
        allow_prefixes=tuple(settings["gate.allow_prefixes"]),
        deny_prefixes=tuple(settings["gate.deny_prefixes"]),
        max_concurrent=settings["gate.max_concurrent_org"],
        spend_cap_micros=settings["gate.spend_cap_org_micros"],
    )
