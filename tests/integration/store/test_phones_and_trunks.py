"""Devices, trunks and groups: their secrets, their order, their refusals."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import text

from crm import directory
from crm.errors import Refused
from crm.records import as_dict
from crm.services import devices, groups, trunks
from crm.unit_of_work import Store
from tests.integration.store.makers import add_user

TRUNK = {"name": "Carrier", "host": "sip.example.com"}


@pytest.mark.covers("A1")
async def test_a_phone_gets_a_made_up_name_and_a_secret_that_is_shown_once(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    async with store.write() as work:
        new = await devices.add(work, {"user": "sam@example.com", "name": "Desk", "transport": "tls"})
    assert len(new.secret) >= 20 and new.device.id[0] == "d" and not new.device.id.isdigit()
    assert new.device.ha1 == hashlib.md5(f"{new.device.id}:switchhook:{new.secret}".encode()).hexdigest()
    assert "ha1" not in as_dict(new.device) and new.secret not in repr(new) and new.device.ha1 not in repr(new)
    async with store.read() as session:
        assert await devices.list_all(session, sam.id) == [new.device] == [await devices.show(session, new.device.id)]
        kept = [str(row) for row in await session.execute(text("SELECT * FROM devices"))]
        audited = [str(row) for row in await session.execute(text("SELECT * FROM audit"))]
    assert not any(new.secret in row for row in kept + audited)
    assert not any(new.device.ha1 in row for row in audited)


async def test_a_renewed_secret_replaces_the_old_one(store: Store) -> None:
    await add_user(store, "sam@example.com")
    async with store.write() as work:
        old = await devices.add(work, {"user": "sam@example.com"})
        new = await devices.renew_secret(work, old.device.id)
    assert new.device.id == old.device.id and new.secret != old.secret and new.device.ha1 != old.device.ha1


@pytest.mark.covers("A2")
async def test_a_phone_switched_off_is_not_rung_from_the_next_call_on(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    async with store.write() as work:
        phones = [(await devices.add(work, {"user": sam.id})).device for _ in range(3)]
    async with store.write() as work:
        await devices.change(work, phones[0].id, {"enabled": False})
        await devices.remove(work, phones[1].id)
    async with store.read() as session:
        loaded = await directory.load(session)
    assert [device.id for device in loaded.devices_of(sam.id)] == [phones[2].id]
    assert set(loaded.devices) == {phones[0].id, phones[2].id}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"user": "nobody@example.com"}, None),
        ({"user": "sam@example.com", "transport": "wss"}, "transport"),
        ({"user": "sam@example.com", "kind": "webrtc", "transport": "udp"}, "kind"),
        ({"user": "sam@example.com", "name": "a\nb"}, "name"),
        ({"user": "sam@example.com", "secret": "mine"}, "secret"),
        ({}, "user"),
    ],
)
async def test_a_wrong_phone_is_refused(store: Store, values: dict[str, Any], field: str | None) -> None:
    await add_user(store, "sam@example.com")
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await devices.add(work, values)
    assert refused.value.field == field


@pytest.mark.covers("A1")
async def test_trunks_are_tried_in_the_order_of_their_priority(store: Store) -> None:
    async with store.write() as work:
        second = await trunks.add(work, TRUNK | {"name": "Second", "priority": 20})
        first = await trunks.add(work, TRUNK | {"name": "First", "priority": 10, "number_format": "national"})
    async with store.read() as session:
        assert [trunk.id for trunk in await trunks.list_all(session)] == [first.id, second.id]
        assert (await directory.load(session)).trunks == (first, second)
    async with store.write() as work:
        await trunks.change(work, "First", {"priority": 30})
        assert [trunk.name for trunk in await trunks.list_all(work.session)] == ["Second", "First"]
        await trunks.remove(work, second.id)
    assert first.id.islower()


async def test_a_trunks_secret_is_kept_for_provisioning_and_shown_to_nobody(store: Store) -> None:
    values = TRUNK | {"mode": "register", "username": "acme", "secret": "s3cret-of-carrier"}
    async with store.write() as work:
        made = await trunks.add(work, values)
        changed = await trunks.change(work, made.id, {"port": 5080})
    assert changed.secret == "s3cret-of-carrier"
    assert "secret" not in as_dict(changed) and "s3cret" not in repr(changed)
    async with store.read() as session:
        assert not any("s3cret" in str(row) for row in await session.execute(text("SELECT * FROM audit")))


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"host": "sip.example.com;lr"}, "host"),
        ({"host": "sip.example.com\ncontext=evil"}, "host"),
        ({"host": "a b"}, "host"),
        ({"port": 0}, "port"),
        ({"mode": "register"}, "username"),
        ({"username": "a;b"}, "username"),
        ({"secret": "a\nb"}, "secret"),
        ({"prefix": "9w"}, "prefix"),
        ({"codecs": ["g729"]}, "codecs"),
        ({"codecs": []}, "codecs"),
        ({"match_addresses": ["not an address"]}, "match_addresses"),
        ({"number_format": "sip"}, "number_format"),
        ({"max_channels": 0}, "max_channels"),
    ],
)
async def test_nothing_reaches_asterisks_files_that_may_not_stand_there(
    store: Store, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await trunks.add(work, TRUNK | values)
    assert refused.value.field == field


async def test_an_address_belongs_to_one_trunk(store: Store) -> None:
    async with store.write() as work:
        await trunks.add(work, TRUNK | {"match_addresses": ["192.0.2.1"]})
    with pytest.raises(Refused, match=r"192\.0\.2\.1 belong to the trunk Carrier"):
        async with store.write() as work:
            await trunks.add(work, TRUNK | {"name": "Other", "match_addresses": ["192.0.2.1"]})
    with pytest.raises(Refused, match="has this name"):
        async with store.write() as work:
            await trunks.add(work, TRUNK)


@pytest.mark.covers("A1")
async def test_a_group_keeps_its_members_in_order(store: Store) -> None:
    made = [await add_user(store, f"{name}@example.com") for name in ("sam", "mio", "alex")]
    async with store.write() as work:
        group = await groups.add(work, {"name": "Support", "members": ["mio@example.com", made[0].id, made[1].id]})
    assert group.members == (made[1].id, made[0].id)
    async with store.write() as work:
        changed = await groups.change(work, "Support", {"members": [made[2].id], "name": "Help"})
    async with store.read() as session:
        assert await groups.list_all(session) == [changed] == [await groups.show(session, "Help")]
        assert (await directory.load(session)).groups[group.id].members == (made[2].id,)
    with pytest.raises(Refused, match="no user"):
        async with store.write() as work:
            await groups.change(work, group.id, {"members": ["u_none"]})
    async with store.write() as work:
        await groups.remove(work, group.id)
        assert await groups.list_all(work.session) == []
