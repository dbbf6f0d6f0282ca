"""Who is rung when a user, a group or a number is invited into a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crm.errors import Refused
from crm.records import Group
from pbx.core.events import GuestKind
from pbx.services.guests import Guests
from pbx.services.persons import Persons
from tests.unit.services.test_gatekeeper import MIO, MOBILE, SAM, Organisation, Registered, user

KIM, LEE = "+14155550103", "+14155550104"


class House(Organisation):
    """Four users, of whom three are the group Support."""

    def __init__(self, *, busy: tuple[str, ...] = (), away: tuple[str, ...] = (), gone: tuple[str, ...] = ()) -> None:
        names = {"mio": MIO, "sam": SAM, "kim": KIM, "lee": LEE}
        super().__init__(
            *(
                user(name, did, available=name not in away, active=name not in gone, forwarding_number=MOBILE)
                for name, did in names.items()
            )
        )
        group = Group("g_1", "Support", "", ("u_sam", "u_kim", "u_lee", "u_nobody"), 0, 0)
        self.directory = replace(self.directory, groups={group.id: group})
        persons = Persons(lambda: self.directory, Registered(), lambda user_id: user_id.removeprefix("u_") in busy)
        self.guests = Guests(lambda: self.directory, persons)
        self.mio = self.directory.users["u_mio"]

    def rung(self, **whom: str | None) -> list[str]:
        named = {"user": None, "group": None, "number": None} | whom
        return [phone.user_id for phone in self.guests.named(self.mio, **named).phones]


@pytest.mark.covers("C3")
def test_of_a_group_only_those_ring_who_are_free_and_there() -> None:
    assert House().rung(group="g_1") == ["u_sam", "u_kim", "u_lee"]
    assert House(busy=("sam",)).rung(group="g_1") == ["u_kim", "u_lee"]
    assert House(busy=("sam",), away=("kim",)).rung(group="g_1") == ["u_lee"]
    assert House(busy=("sam",), away=("kim",), gone=("lee",)).rung(group="g_1") == []


@pytest.mark.covers("C3", "C5")
def test_a_user_is_rung_on_all_phones_and_never_on_the_forwarding_number() -> None:
    assert House().rung(user="u_sam") == ["u_sam"]
    assert House(away=("sam",)).rung(user="u_sam") == []
    assert House(busy=("sam",)).guests.named(House().mio, user="u_sam", group=None, number=None).busy


@pytest.mark.covers("C3", "C5")
@pytest.mark.parametrize("written", [SAM, "(415) 555-0102"])
def test_a_colleagues_number_rings_inside_and_another_is_outside(written: str) -> None:
    house = House()
    assert house.rung(number=written) == ["u_sam"]
    assert house.guests.keyed(written, "u_mio").guest == house.guests.named(
        house.mio, user="u_sam", group=None, number=None
    )
    outside = house.guests.named(house.mio, user=None, group=None, number=MOBILE)
    assert (outside.kind, outside.number, outside.phones) == (GuestKind.NUMBER, MOBILE, ())


@pytest.mark.covers("C3")
@pytest.mark.parametrize(
    ("whom", "code"),
    [
        ({}, "invalid"),
        ({"user": "u_sam", "number": MOBILE}, "invalid"),
        ({"user": "u_nobody"}, "not_found"),
        ({"group": "g_nobody"}, "not_found"),
    ],
)
def test_nobody_several_and_strangers_are_refused(whom: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        House().rung(**whom)
    assert refused.value.code == code
    assert House().guests.keyed("1", "u_nobody").guest is None
