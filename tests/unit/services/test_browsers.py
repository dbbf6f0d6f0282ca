"""Whoever asks for a phone waits until the switch knows it; whoever has a connection hears when it is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm.directory import Directory
from crm.errors import Refused
from crm.records import Device, User
from crm.settings_registry import effective
from pbx.services.browsers import BrowserPhones
from pbx.services.provisioning import provisioning
from tests.support.waiting import in_time

PHONE = Device("bmio2m9xw4", "u_mio", "Browser", "webrtc", "wss", "ha1", True, 1, 5)
DESK = Device("dmio2m9xw4", "u_mio", "Desk", "sip", "udp", "ha1")


def directory(*browsers: Device) -> Directory:
    values: dict[str, Any] = dict.fromkeys(User.__dataclass_fields__)
    values |= {"active": True, "available": True, "country": "US"}
    mio = User(**(values | {"id": "u_mio", "name": "Mio", "number": "+14155550101"}))
    every = (DESK, *browsers)
    return Directory(
        1,
        {mio.id: mio},
        {},
        {device.id: device for device in every},
        (),
        {},
        effective({}),
        frozenset(),
        0,
        {mio.id: every},
        0,
        {f"ses_{device.id}": device for device in browsers},
    )


async def test_a_phone_is_known_once_the_engine_goes_by_a_directory_that_has_it() -> None:
    now = directory()
    phones = BrowserPhones(lambda: now, lambda: True)
    asking = asyncio.ensure_future(phones.until_known(PHONE, 5))
    phones.changed()
    await asyncio.sleep(0)
    assert not asking.done()
    now = directory(PHONE)
    phones.changed()
    await in_time(asking, 1)
    assert phones.of_login("ses_bmio2m9xw4") == PHONE and phones.of_login("ses_other") is None


async def test_a_secret_that_was_renewed_meanwhile_keeps_nobody_waiting() -> None:
    newer = Device(PHONE.id, PHONE.user_id, "Browser", "webrtc", "wss", "newer", True, 1, 6)
    await BrowserPhones(lambda: directory(newer), lambda: True).until_known(PHONE, 1)
    older = Device(PHONE.id, PHONE.user_id, "Browser", "webrtc", "wss", "older", True, 1, 4)
    with pytest.raises(Refused) as refused:
        await BrowserPhones(lambda: directory(older), lambda: True).until_known(PHONE, 0.05)
    assert refused.value.status == 503


async def test_whoever_watches_is_told_of_every_change() -> None:
    phones, told = BrowserPhones(directory, lambda: False), list[int]()
    phones.watchers.append(lambda: told.append(1))
    phones.changed()
    assert told == [1] and not phones.reachable


@pytest.mark.covers("P2")
def test_a_browser_is_not_rung_by_the_dialplan_as_it_is_reached_through_the_engine() -> None:
    wanted = provisioning(directory(PHONE))
    assert [device.id for device in wanted.devices] == [DESK.id] == list(wanted.fallback[0].devices)
    [browser] = wanted.browsers
    assert (browser.id, browser.did, browser.ha1) == (PHONE.id, "+14155550101", "ha1")
