"""The gate with the organisation's facts: forwarding in circles, phones switched off, the stand-in dialplan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from crm import settings_registry
from crm.directory import Directory
from crm.records import Device, Number, Trunk, User
from pbx.adapters.asterisk.translate import NewChannel
from pbx.core.call import State
from pbx.core.commands import FindRoute
from pbx.core.events import Direction, Phone
from pbx.core.gate import SENTENCES, Reason
from pbx.core.ids import CallId
from pbx.services.arrivals import Arrivals
from pbx.services.gatekeeper import Gate
from pbx.services.persons import Persons
from pbx.services.provisioning import provisioning
from pbx.services.routing import Routing
from pbx.services.runtime import Calls
from pbx.services.spending import Spending
from tests.unit.services.standins import HandClock, HandJournal, HandSwitch, Trail

CALL = CallId("c_01HZ0000000000000000000001")
MIO, SAM = "+14155550101", "+14155550102"
MOBILE = "+12065550130"


def user(name: str, did: str, **given: Any) -> User:
    values: dict[str, Any] = {
        "id": f"u_{name}",
        "email": f"{name}@demo.example",
        "name": name,
        "role": "rep",
        "language": "en",
        "time_zone": "UTC",
        "country": "US",
        "active": True,
        "forwarding_number": None,
        "ring_time_s": 20,
        "voicemail_enabled": False,
        "forward_accept": "inherit",
        "recording_policy": "inherit",
        "may_call": True,
        "max_concurrent": None,
        "spend_cap_micros": None,
        "has_password": True,
        "number": did,
        "created_us": 0,
        "updated_us": 0,
    }
    return User(**values | given)


class Organisation:
    """Two users with a number and a phone each, and one trunk."""

    def __init__(self, *users: User, **settings: Any) -> None:
        found = {each.id: each for each in users}
        devices = {
            f"d_{each.name}": Device(f"d_{each.name}", each.id, "desk", "sip", "udp", "0" * 32) for each in users
        }
        self.directory = Directory(
            1,
            found,
            {each.number: Number(each.number, "US", True, True, each.id, "", 0, 0) for each in users if each.number},
            devices,
            (trunk(),),
            {},
            settings_registry.effective({}) | settings,
            frozenset(),
            0,
            defaultdict(tuple, {device.user_id: (device,) for device in devices.values()}),
        )
        self.clock, self.switch = HandClock(), HandSwitch(Trail())
        self.journal = HandJournal(self.switch.trail)
        routing = Routing(lambda: self.directory, self.clock.now)
        spending = Spending(lambda number, trunk: None, self.clock.now)
        self.gate = Gate(lambda: self.directory, routing, spending, lambda: False)
        self.calls = Calls(self.switch, self.journal, self.clock, self.gate)
        persons = Persons(lambda: self.directory, Registered(), lambda user_id: False)
        self.arrivals = Arrivals(self.calls, lambda: self.directory, persons, lambda: CALL, lambda: False)

    def forward(self, user_id: str) -> Reason:
        """The gate's word when a call to this user is to be forwarded."""
        number = self.directory.users[user_id].forwarding_number or ""
        call = self.calls.get(CALL)
        assert call is not None
        return self.gate.decide(call, FindRoute("forward", number, user_id)).verdict.reason

    def dial(self, device: str, number: str) -> None:
        self.arrivals.from_phone(NewChannel("outbound", "PJSIP-1", device, number, "", ""))

    def fallback(self, *, credit: bool = True) -> dict[str, int]:
        return {number.did: len(number.forward) for number in provisioning(self.directory, credit=credit).fallback}


class Registered:
    def phones(self, device_ids: Any) -> tuple[Phone, ...]:
        return tuple(Phone(device, f"PJSIP/{device}") for device in device_ids)


def trunk() -> Trunk:
    fields: dict[str, Any] = {name: None for name in Trunk.__dataclass_fields__}
    given = {"id": "tr_a", "name": "a", "mode": "address", "host": "192.0.2.1", "port": 5060, "transport": "udp"}
    given |= {"number_format": "e164", "prefix": "", "codecs": (), "match_addresses": (), "enabled": True, "secret": ""}
    return Trunk(**fields | given)


@pytest.mark.covers("P5", "I3")
def test_forwarding_that_leads_back_to_the_user_is_refused_and_other_colleagues_are_not() -> None:
    mio, sam = user("mio", MIO, forwarding_number=SAM), user("sam", SAM, forwarding_number=MIO)
    ring = Organisation(mio, sam)
    ring.dial("d_mio", MOBILE)
    assert ring.forward("u_mio") is Reason.FORWARD_LOOP
    assert ring.fallback() == {MIO: 0, SAM: 0}
    line = Organisation(mio, replace(sam, forwarding_number=MOBILE))
    line.dial("d_mio", MOBILE)
    assert line.forward("u_mio") is Reason.ALLOWED
    assert line.fallback() == {MIO: 1, SAM: 1}
    alone = Organisation(replace(mio, forwarding_number=MIO))
    alone.dial("d_mio", MOBILE)
    assert alone.forward("u_mio") is Reason.FORWARD_LOOP
    assert line.fallback(credit=False) == {MIO: 0, SAM: 0}
    assert all(reason in SENTENCES for reason in Reason)


@pytest.mark.covers("P2", "P5", "TRUST18")
@pytest.mark.parametrize(
    ("number", "settings"),
    [
        ("+19005551234", {}),
        ("+870773111632", {}),
        (MOBILE, {"gate.deny_prefixes": ["+1206"]}),
        (MOBILE, {"gate.deny_countries": ["US"]}),
    ],
)
def test_a_forwarding_number_that_the_gate_refuses_is_not_in_the_dialplan_either(
    number: str, settings: dict[str, Any]
) -> None:
    assert Organisation(user("mio", MIO, forwarding_number=number), **settings).fallback() == {MIO: 0}
    assert Organisation(user("mio", MIO, forwarding_number=MOBILE, may_call=False)).fallback() == {MIO: 0}
    assert Organisation(user("mio", MIO, forwarding_number=MOBILE)).fallback() == {MIO: 1}


@pytest.mark.covers("P5")
def test_a_phone_or_user_that_was_switched_off_reaches_nobody_outside_or_inside() -> None:
    for number in (SAM, MOBILE):
        gone = Organisation(user("mio", MIO, active=False), user("sam", SAM))
        gone.dial("d_mio", number)
        assert refusal(gone) == "user_inactive"
        off = Organisation(user("mio", MIO), user("sam", SAM))
        off.directory = replace(
            off.directory, devices={"d_mio": replace(off.directory.devices["d_mio"], enabled=False)}
        )
        off.dial("d_mio", number)
        assert refusal(off) == "unknown_number"
        unknown = Organisation(user("sam", SAM))
        unknown.dial("d_mio", number)
        assert refusal(unknown) == "unknown_number"


def test_a_colleague_is_rung_inside() -> None:
    pair = Organisation(user("mio", MIO), user("sam", SAM))
    pair.dial("d_mio", SAM)
    call = pair.calls.get(CALL)
    assert call is not None and (call.direction, call.state) == (Direction.INTERNAL, State.RINGING)


def refusal(world: Organisation) -> str:
    (ended,) = [fact for _, fact in world.journal.facts if fact.kind == "call.ended"]
    assert ended.data["disposition"] == "refused"
    return str(ended.data["reason"])
