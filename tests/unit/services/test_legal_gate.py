"""The gate against the law: 10,000 combinations of number, time, consent and state, judged by a second reading.

The second reading shares nothing with the rules' files: it is written from the statutes as a person would, with each
place's offset from UTC by hand, so that a slip in one of the two is seen.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bench.figures import at_most
from crm.law import STATUTE
from pbx.core.call import Call
from pbx.core.commands import FindRoute
from pbx.core.gate import Destination, Reason, Verdict
from pbx.core.ids import Instant
from pbx.services import legal_hours
from pbx.services.text_rules import Planned, lawful_hours
from tests.support.trust import Measured
from tests.unit.services.test_gatekeeper import CALL, MIO, MOBILE, Organisation, user

COMBINATIONS = 10_000
MINUTE = timedelta(minutes=1)
Hours = Callable[[datetime], bool]


def between(begins: float, ends: float) -> Hours:
    return lambda local: begins <= local.hour + local.minute / 60 < ends


def weekdays_only(hours: Hours, closed: set[date]) -> Hours:
    return lambda local: local.weekday() < 5 and local.date() not in closed and hours(local)


def by_day(weekday: Hours, saturday: Hours, sunday: Hours, closed: Set[date] = frozenset()) -> Hours:
    def judge(local: datetime) -> bool:
        day = {5: saturday, 6: sunday}.get(local.weekday(), weekday)
        return local.date() not in closed and day(local)

    return judge


def never(local: datetime) -> bool:
    return False


FRENCH = {date(2026, 7, 14), date(2026, 8, 15), date(2026, 11, 1), date(2026, 11, 11), date(2026, 12, 25)}
AUSTRALIAN = {date(2026, 12, 25), date(2026, 12, 26)}
NOON_OFF = lambda local: between(10, 13)(local) or between(14, 20)(local)  # noqa: E731


@dataclass(frozen=True)
class There:
    """Hours from UTC in standard time and in summer time, and when summer is (months and days, both in 2026)."""

    number: str
    hours: Hours
    offset: float
    summer: float | None = None
    from_: datetime = datetime(2026, 3, 8, tzinfo=UTC)
    until: datetime = datetime(2026, 11, 1, tzinfo=UTC)

    def local(self, moment: datetime) -> datetime:
        summer = self.summer is not None and self.from_ <= moment < self.until
        return moment.replace(tzinfo=None) + timedelta(hours=self.summer if summer and self.summer else self.offset)

    def legal(self, moment: datetime) -> bool:
        return self.hours(self.local(moment))


def american(number: str, hours: Hours, offset: int) -> There:
    """The second Sunday of March to the first of November, at two in the morning of local time."""
    begins = datetime(2026, 3, 8, 2 - offset, tzinfo=UTC)
    ends = datetime(2026, 11, 1, 1 - offset, tzinfo=UTC)
    return There(number, hours, offset, offset + 1, begins, ends)


def european(number: str, hours: Hours, offset: int) -> There:
    begins, ends = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
    return There(number, hours, offset, offset + 1, begins, ends)


PLACES = (
    american("+12125550123", between(8, 21), -5),  # New York: the federal rule
    american("+13055550123", between(8, 20), -5),  # Miami
    american("+15125550123", by_day(between(9, 21), between(9, 21), between(12, 21)), -6),  # Austin
    american("+12065550123", between(8, 20), -8),  # Seattle
    american("+16055550123", never, -6),  # South Dakota has two zones: judged below
    There("+16025550123", between(8, 21), -7),  # Phoenix knows no summer time
    There("+81312345678", between(9, 20), 9),
    There("+819012345678", between(9, 20), 9),
    european("+33142345678", weekdays_only(NOON_OFF, FRENCH), 1),
    There("+919812345678", between(10, 21), 5.5),
    There("+61731234567", by_day(between(9, 20), between(9, 17), never, AUSTRALIAN), 10),  # Brisbane
)


def moments(chance: random.Random) -> datetime:
    """Any minute from summer to the end of the year, half of them near an hour at which rules turn."""
    moment = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(183 * 24 * 60))
    return moment.replace(minute=chance.choice((0, 59, 30, 29))) if chance.random() < 0.5 else moment


@pytest.mark.covers("TRUST23", "P5", "L4")
@pytest.mark.trust(23)
def test_ten_thousand_combinations_of_number_time_consent_and_state_hold_no_illegal_call(measured: Measured) -> None:
    chance = random.Random(23)
    dialled = refused = illegal = 0
    worlds = {
        (policy, on): organisation(policy, active=on) for policy in ("listed", "all", "off") for on in (True, False)
    }
    for number in range(COMBINATIONS):
        there, moment = chance.choice([each for each in PLACES if each.hours is not never]), moments(chance)
        opted_out, listed, active = chance.random() < 0.2, chance.random() < 0.7, chance.random() < 0.9
        policy = chance.choice(("listed", "all", "off"))
        world = worlds[policy, active].at(moment, opted_out=there.number if opted_out else "")
        verdict = world.asked(there.number, listed)
        bound = policy == "all" or (policy == "listed" and listed)
        legal = active and not opted_out and (there.legal(moment) or not bound)
        illegal += verdict.allowed and not legal
        assert verdict.allowed == legal, (number, there.number, moment, verdict, opted_out, listed, policy)
        dialled, refused = dialled + verdict.allowed, refused + (not verdict.allowed)
        if verdict.untimely is not None and verdict.untimely.not_before_us is not None:
            opens = datetime.fromtimestamp(verdict.untimely.not_before_us / 1e6, UTC)
            assert opens > moment and there.legal(opens) and not there.legal(opens - MINUTE)
    assert dialled > 2000 and refused > 2000
    measured(at_most(f"illegal calls of {COMBINATIONS} combinations of number, time and consent", illegal, "calls", 0))


@pytest.mark.covers("TRUST23", "L4")
def test_where_a_state_has_two_time_zones_both_must_be_awake() -> None:
    """South Dakota: not on Sundays, nine to nine, in Central and in Mountain time."""
    chance = random.Random(5)
    zones = [american("", by_day(between(9, 21), between(9, 21), never), offset) for offset in (-6, -7)]
    for moment in (moments(chance) for _ in range(1000)):
        allowed = STATUTE.hours("+16055550123", int(moment.timestamp() * 1e6)).allowed
        assert allowed == all(zone.legal(moment) for zone in zones), moment


@pytest.mark.covers("P5", "TRUST24")
def test_emergency_numbers_and_the_own_forwarding_number_are_never_asked_about_the_hour() -> None:
    night = datetime(2026, 7, 1, 9, tzinfo=UTC)  # two in the morning where this number is
    world = organisation("all").at(night)
    assert world.asked("911", False).reason is Reason.EMERGENCY
    assert world.asked(MOBILE, False, purpose="own_forwarding").reason is Reason.ALLOWED
    assert world.asked(MOBILE, False).reason is Reason.CALLING_HOURS


@pytest.mark.covers("P5")
def test_who_dials_by_hand_is_warned_where_the_hour_does_not_decide() -> None:
    world = organisation("listed").at(datetime(2026, 7, 1, 9, tzinfo=UTC))
    warned = world.gate.check("u_mio", MOBILE)
    assert warned.allowed and warned.untimely is not None and warned.untimely.rule == "hours.US-WA"
    assert not world.gate.check("u_mio", MOBILE, listed=True).allowed
    assert world.gate.check("u_mio", MOBILE, listed=True).sentence == warned.untimely.sentence
    world = organisation("off").at(datetime(2026, 7, 1, 9, tzinfo=UTC))
    assert world.gate.check("u_mio", MOBILE).untimely is None


@pytest.mark.covers("L4")
def test_the_address_of_the_called_person_counts_beside_the_number() -> None:
    world = organisation("listed").at(datetime(2026, 7, 1, 16, tzinfo=UTC))  # nine in Seattle, eighteen in Paris
    assert world.gate.check("u_mio", MOBILE, listed=True, home="US-WA").allowed
    assert world.gate.check("u_mio", MOBILE, listed=True, home="FR").allowed
    assert not world.gate.check("u_mio", MOBILE, listed=True, home="JP").allowed


def test_the_hour_of_a_call_costs_microseconds() -> None:
    """A bound that a busy machine keeps; the figure is a few microseconds."""
    world = organisation("all").at(datetime(2026, 7, 1, 18, tzinfo=UTC))
    took = []
    for number in range(2000):
        destination = Destination(f"+1206555{number:04d}", "US")
        began = time.perf_counter()
        legal_hours.untimely(world.directory, destination, world.clock.now())
        took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.0002


class Timed(Organisation):
    """An organisation at a moment of the test's choice."""

    def at(self, moment: datetime, *, opted_out: str = "") -> Timed:
        self.directory = replace(self.directory, do_not_call=frozenset({opted_out}))
        at = Instant(int(moment.timestamp()) * 1_000_000)
        self.gate._now = lambda: at
        return self

    def asked(self, number: str, listed: bool, *, purpose: str = "customer") -> Verdict:
        """The gate's word on a call that is about to be dialled; the call is over at once."""
        call = Call(CALL, Instant(0), listed=listed)
        verdict = self.gate.decide(call, FindRoute(purpose, number, "u_mio")).verdict
        self.gate.release(call)
        return verdict


def organisation(policy: str, *, active: bool = True) -> Timed:
    return Timed(user("mio", MIO, active=active), **{"gate.calling_hours": policy})


@pytest.mark.covers("TRUST23", "T6")
async def test_a_text_to_who_has_not_written_waits_for_the_hours_of_its_place_and_an_answer_does_not() -> None:
    """Ten thousand moments, the second reading again; in France texts have hours of their own."""
    chance, refused = random.Random(7), 0
    settings, law = {"texts.calling_hours": "first"}, organisation("listed").directory.law
    for there in [each for each in PLACES if each.hours is not never and not each.number.startswith("+33")]:
        for moment in (moments(chance) for _ in range(1100)):
            at_us = int(moment.timestamp()) * 1_000_000
            planned = Planned(MIO, there.number, 1, at_us, chance.random() < 0.2, settings, law, "")
            word = await lawful_hours(None, planned)
            assert word.allowed == (planned.reply or there.legal(moment)), (there.number, moment)
            assert word.allowed or word.sentence.endswith(".")
            refused += not word.allowed
    assert refused > 2000
    at_us = int(datetime(2026, 7, 3, 18, 30, tzinfo=UTC).timestamp() * 1e6)
    evening = Planned(MIO, "+33612345678", 1, at_us, False, settings, law, "")
    assert not (await lawful_hours(None, evening)).allowed
    off = replace(evening, settings={"texts.calling_hours": "off"})
    assert (await lawful_hours(None, off)).allowed
