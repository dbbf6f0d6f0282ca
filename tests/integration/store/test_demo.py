"""The demo organisation."""

from __future__ import annotations

import pytest

from crm.services import demo, devices, notices, scripts, users
from crm.unit_of_work import Store


@pytest.mark.covers("A1")
async def test_the_demo_is_seeded_once_and_its_logins_work(store: Store) -> None:
    async with store.write() as work:
        first = await demo.seed(work)
    assert [user.number for user in first.users] == ["+14155550101", "+14155550102", "+14155550103", None]
    assert (first.trunk.host, first.trunk.port, first.trunk.match_addresses) == ("127.0.0.1", 5160, ("127.0.0.1",))
    assert len(first.devices) == 3 and all(len(new.secret) >= 20 for new in first.devices)
    async with store.read() as session:
        for email, password in first.passwords.items():
            assert (await users.sign_in(session, email, password)).email == email
    async with store.write() as work:
        again = await demo.seed(work)
    assert again.users == first.users and again.trunk == first.trunk
    assert (dict(again.passwords), again.devices) == ({}, [])
    async with store.read() as session:
        assert len(await devices.list_all(session)) == 3


@pytest.mark.covers("N5", "V11")
async def test_the_demo_has_scripts_and_its_admin_has_accepted_the_notices(store: Store) -> None:
    async with store.write() as work:
        seeded = await demo.seed(work)
    async with store.read() as session:
        assert [each.direction for each in await scripts.list_all(session)] == ["outbound", "inbound"]
        accepted = [each.accepted for each in await notices.list_all(session)]
    assert [each and each.user_id for each in accepted] == [seeded.users[-1].id] * 2
