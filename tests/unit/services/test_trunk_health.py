"""Which trunks are trusted with a call, and what is told of the others (TRUST 8)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pbx.core.commands import Fact
from pbx.core.ids import CallId, Instant
from pbx.services.alerts import Alerts
from pbx.services.trunk_health import TrunkHealth
from tests.unit.services.standins import HandClock

CALL = CallId("c_01HZ0000000000000000000001")


class World:
    """One trunk, tr_a, which answers OPTIONS until a test says otherwise."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.alerts = Alerts(self.clock)
        self.answers = True
        self.trunks = [SimpleNamespace(id="tr_a", name="Blue", host="sip.blue.example", enabled=True)]
        directory: Any = self
        self.health = TrunkHealth(lambda: directory, self.clock.now, self.alerts, lambda trunk: self.answers)
        self.health.options_changed("tr_a")
        self.leg = 0

    def dials(self, direction: str = "outbound", role: str = "customer") -> str:
        self.leg += 1
        leg = f"leg_{self.leg}"
        self.hears(
            ("call.created", {"direction": direction}), ("leg.created", {"leg": leg, "role": role, "trunk_id": "tr_a"})
        )
        return leg

    def hears(self, *facts: tuple[str, dict[str, object]]) -> None:
        told = [Fact(kind, Instant(self.clock.us), data) for kind, data in facts]
        self.health.happened(CALL, list(enumerate(told, 1)))

    def ends(self, leg: str, result: str, status: int | None) -> None:
        self.hears(("leg.ended", {"leg": leg, "result": result, "sip_status": status}))

    @property
    def said(self) -> list[str]:
        return [str(alert.data["why"]) for alert in self.alerts.standing]


def test_a_silent_trunk_is_tried_last_for_a_minute_or_until_it_says_a_word() -> None:
    world = World()
    world.hears(("trunk.silent", {"leg": world.dials(), "trunk_id": "tr_a"}))
    assert world.said == ["silence"] and not world.health.trusted("tr_a")
    assert "Blue" in world.alerts.standing[0].sentence
    world.clock.pass_(61)
    assert world.health.trusted("tr_a") and world.said == ["silence"], "only a call can show that it is over"
    world.hears(("leg.ringing", {"leg": world.dials()}))
    assert world.said == []


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        ("unreachable", 503, ["refusal"]),
        ("unreachable", 407, ["refusal"]),
        ("unreachable", 408, []),  # of the number that was dialled, not of the trunk
        ("busy", 486, []),
        ("cancelled", None, []),
    ],
)
def test_a_refusal_of_the_trunks_own_is_told_and_costs_it_no_place(
    result: str, status: int | None, said: list[str]
) -> None:
    world = World()
    world.ends(world.dials(), result, status)
    assert world.said == said and world.health.trusted("tr_a")
    world.ends(world.dials(), "no_answer", 480)
    assert world.said == []


def test_a_call_that_comes_in_says_nothing_of_those_that_go_out() -> None:
    world = World()
    world.hears(("trunk.silent", {"leg": world.dials(), "trunk_id": "tr_a"}))
    world.hears(("leg.answered", {"leg": world.dials("inbound")}))
    assert world.said == ["silence"]
    world.hears(("leg.ringing", {"leg": world.dials("inbound", "forward")}))
    assert world.said == []


def test_who_stops_answering_options_is_told_of_and_who_never_did_is_not() -> None:
    world = World()
    world.answers = False
    world.health.options_changed("tr_a")
    assert world.said == ["options"] and not world.health.trusted("tr_a")
    world.answers = True
    world.health.options_changed("tr_a")
    assert world.said == [] and world.health.trusted("tr_a")
    fresh = World()
    fresh.answers, fresh.health._has_answered = False, set()
    fresh.health.options_changed("tr_a")
    assert fresh.said == [] and not fresh.health.trusted("tr_a")


def test_a_lost_registration_stands_whatever_else_is_heard() -> None:
    world = World()
    world.health.registration_changed("tr_a", "Unregistered")
    assert world.said == [], "the carrier has not been asked yet"
    world.health.registration_changed("tr_a", "Rejected")
    world.hears(("leg.ringing", {"leg": world.dials()}))
    assert world.said == ["registration"] and not world.health.trusted("tr_a")
    world.health.registration_changed("tr_a", "Registered")
    world.health.registration_changed("tr_a", "Unregistered")
    assert world.said == ["registration"]


def test_a_trunk_that_is_taken_away_worries_nobody() -> None:
    world = World()
    world.health.registration_changed("tr_a", "Rejected")
    world.trunks[0].enabled = False
    world.health.directory_changed()
    assert world.said == []
