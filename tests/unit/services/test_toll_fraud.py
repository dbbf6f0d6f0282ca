"""Toll fraud and emergency calls are told at once, whatever way the call took (TRUST 18, 24)."""

from __future__ import annotations

import pytest

from bench.figures import at_most
from crm.directory import Directory
from pbx.core.call import Call
from pbx.core.commands import FindRoute
from pbx.core.gate import Reason
from pbx.core.ids import CallId
from pbx.services.alerts import Alerts, Kind
from pbx.services.emergency_calls import EmergencyCalls
from pbx.services.live_records import LiveRecords
from pbx.services.toll_fraud import TollFraud
from tests.support.trust import Measured
from tests.unit.services.test_gatekeeper import MIO, MOBILE, SAM, Organisation, user


class Watched(Organisation):
    """An organisation whose alerts are told; every dial is a call of its own."""

    def __init__(self, *users: object, **settings: object) -> None:
        super().__init__(*users, **settings)  # type: ignore[arg-type]
        self.alerts, records = Alerts(self.clock), LiveRecords()
        current = self._current
        self.calls.observers += [
            records,
            TollFraud(records, current, self.alerts),
            EmergencyCalls(records, current, self.alerts),
        ]
        self._dialled = 0
        self.arrivals._mint = self._mint

    def _current(self) -> Directory:
        return self.directory

    def _mint(self) -> CallId:
        self._dialled += 1
        return CallId(f"c_01HZ{self._dialled:022}")

    def subjects(self, kind: Kind) -> list[str]:
        return [alert.subject for alert in self.alerts.standing if alert.kind is kind]


@pytest.mark.covers("TRUST18")
@pytest.mark.parametrize(
    ("number", "settings", "reason"),
    [
        ("+19005551234", {}, "premium_denied"),
        ("+881612345678", {}, "satellite_denied"),
        ("+5352345678", {"gate.deny_countries": ["CU"]}, "country_denied"),
        ("+12065550042", {"gate.deny_prefixes": ["+12065550"]}, "prefix_denied"),
    ],
)
def test_one_attempt_at_a_denied_destination_is_told_at_once_and_once(
    number: str, settings: dict[str, object], reason: str
) -> None:
    house = Watched(user("mio", MIO), **settings)
    for _ in range(3):
        house.dial("d_mio", number)
    assert house.subjects(Kind.TOLL_FRAUD) == [f"u_mio:{reason}"]
    (alert,) = house.alerts.standing
    assert alert.sentence.startswith("mio tried to reach") and number in alert.sentence


@pytest.mark.covers("TRUST18")
def test_bursts_of_refused_and_of_international_calls_and_caps_are_told() -> None:
    refused = Watched(user("mio", MIO), **{"fraud.refused": 3})
    for at in range(3):
        assert refused.subjects(Kind.TOLL_FRAUD) == []
        refused.dial("d_mio", "12")
        refused.clock.pass_(1)
        assert at == 2 or refused.subjects(Kind.TOLL_FRAUD) == []
    assert refused.subjects(Kind.TOLL_FRAUD) == ["u_mio:many_refused"]
    abroad = Watched(user("mio", MIO), **{"fraud.international": 4})
    for _ in range(4):
        abroad.dial("d_mio", "+442079460000")
    assert abroad.subjects(Kind.TOLL_FRAUD) == ["u_mio:many_international"]
    slow = Watched(user("mio", MIO), **{"fraud.refused": 3})
    for _ in range(9):
        slow.dial("d_mio", "12")
        slow.clock.pass_(31)
    assert slow.subjects(Kind.TOLL_FRAUD) == []
    capped = Watched(user("mio", MIO, max_concurrent=1))
    capped.dial("d_mio", MOBILE)
    capped.dial("d_mio", MOBILE)
    assert capped.subjects(Kind.TOLL_FRAUD) == ["u_mio:user_concurrency_cap"]


@pytest.mark.trust(18)
@pytest.mark.covers("TRUST18")
@pytest.mark.parametrize("whose", ["user", "organisation"])
def test_caps_are_exact_under_a_thousand_tries_at_once(whose: str, measured: Measured) -> None:
    mine = {"max_concurrent": 37} if whose == "user" else {"max_concurrent": 10_000}
    settings = {} if whose == "user" else {"gate.max_concurrent_org": 37}
    house = Watched(user("mio", MIO, **mine), user("sam", SAM, **mine), **settings)
    for at in range(1000):
        house.dial("d_mio" if whose == "user" or at % 2 else "d_sam", MOBILE)
    measured(
        at_most(f"calls beyond the cap of a {whose}, of 1,000 tries at once", abs(house.gate.held - 37), "calls", 0)
    )


@pytest.mark.trust(18)
@pytest.mark.covers("TRUST18")
@pytest.mark.parametrize("purposes", [["forward"], ["invite"], ["customer", "forward", "invite"]], ids="+".join)
def test_caps_are_as_exact_whatever_way_a_call_would_leave(purposes: list[str], measured: Measured) -> None:
    """A blind transfer is an invitation."""
    house = Watched(user("mio", MIO, max_concurrent=37))
    tries = [(Call(house._mint(), house.clock.now()), purposes[at % len(purposes)]) for at in range(1000)]
    decided = [house.gate.decide(call, FindRoute(purpose, MOBILE, "u_mio")).verdict for call, purpose in tries]
    passed = sum(verdict.allowed for verdict in decided)
    assert {verdict.reason for verdict in decided if not verdict.allowed} == {Reason.USER_BUSY_LIMIT}
    what = f"calls beyond the cap, of 1,000 tries at once by {' and '.join(purposes)}"
    measured(at_most(what, abs(passed - 37), "calls", 0))


@pytest.mark.covers("TRUST24")
def test_an_emergency_call_is_told_with_user_number_and_caller_id() -> None:
    house = Watched(user("mio", MIO, may_call=False, max_concurrent=0))
    house.dial("d_mio", "911")
    (alert,) = house.alerts.standing
    assert alert.kind is Kind.EMERGENCY_CALL
    assert alert.sentence.startswith(f"mio has called 911, shown as {MIO}.")
    assert (alert.data["user"], alert.data["number"], alert.data["caller_id"]) == ("mio", "911", MIO)


@pytest.mark.covers("TRUST24")
def test_a_gate_that_breaks_lets_an_emergency_call_pass_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    house = Watched(user("mio", MIO))
    house.dial("d_mio", MOBILE)
    call = next(iter(house.calls))

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(house.gate, "_caller", broken)
    decided = house.gate.decide(call, FindRoute("customer", "911", "u_mio"))
    assert decided.verdict.reason is Reason.EMERGENCY and [route.trunk_id for route in decided.routes] == ["tr_a"]
    for purpose, number in (("customer", MOBILE), ("forward", "911")):
        with pytest.raises(RuntimeError):
            house.gate.decide(call, FindRoute(purpose, number, "u_mio"))
