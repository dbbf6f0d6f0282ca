"""The phone of a login: made by asking, renewed by asking again, gone with the login, however that ends."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from crm import directory
from crm.directory import Directory
from crm.errors import Refused
from crm.services import browsers, devices, sessions, settings, users
from crm.services.devices import NewDevice
from crm.unit_of_work import Store
from tests.integration.store.makers import add_user


async def sign_in(store: Store, user_id: str, lifetime_s: int = 3600) -> str:
    async with store.write() as work:
        opened = await sessions.open(work, user_id, address="", agent="", lifetime_s=lifetime_s)
    return opened.session.id


async def ask(store: Store, login: str) -> NewDevice:
    async with store.write() as work:
        return await browsers.renew(work, login)


async def load(store: Store, before: Directory | None = None) -> Directory:
    async with store.read() as session:
        return await directory.load(session, before)


async def test_each_login_has_a_phone_of_its_own_with_a_made_up_name(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    first, second = await sign_in(store, sam.id), await sign_in(store, sam.id)
    one, other = await ask(store, first), await ask(store, second)
    assert one.device.id != other.device.id and one.device.id[0] == "b" and len(one.secret) >= 20
    assert one.device.ha1 == hashlib.md5(f"{one.device.id}:switchhook:{one.secret}".encode()).hexdigest()
    seen = await load(store)
    assert seen.browser_of(first) == one.device and seen.browser_of(second) == other.device
    assert set(seen.devices_of(sam.id)) == {one.device, other.device} == set(seen.browsers())
    async with store.read() as session:
        kept = [
            str(row)
            for table in ("browser_phones", "audit")
            for row in await session.execute(text(f"SELECT * FROM {table}"))
        ]
        audited = [str(row) for row in await session.execute(text("SELECT * FROM audit"))]
    assert not any(new.secret in row for row in kept for new in (one, other))
    assert not any(one.device.ha1 in row for row in audited)


async def test_asking_again_renews_the_secret_of_the_same_phone(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    login = await sign_in(store, sam.id)
    first, again = await ask(store, login), await ask(store, login)
    assert again.device.id == first.device.id and again.secret != first.secret
    assert (await load(store)).browsers() == (again.device,)


Ending = Callable[[Any, str, str], Awaitable[object]]
ENDINGS: dict[str, Ending] = {
    "signed out": lambda work, user, login: sessions.close(work, login),
    "every login ended": lambda work, user, login: sessions.close_all(work, user),
    "another password": lambda work, user, login: users.set_password(work, user, "a whole new password"),
    "switched off": lambda work, user, login: users.change(work, user, {"active": False}),
    "removed": lambda work, user, login: users.remove(work, user),
}


@pytest.mark.parametrize("how", ENDINGS)
async def test_the_phone_goes_with_its_login_and_the_engine_is_told(store: Store, how: str) -> None:
    sam = await add_user(store, "sam@example.com")
    login = await sign_in(store, sam.id)
    await ask(store, login)
    before = await load(store)
    told: list[bool] = []
    store.on_change = lambda: told.append(True)
    async with store.write() as work:
        await ENDINGS[how](work, sam.id, login)
    after = await load(store, before)
    assert before.browsers() and not after.browsers() and not after.devices_of(sam.id)
    assert told and after.revision > before.revision


async def test_a_login_that_expired_loses_its_phone_when_it_is_forgotten_and_gets_no_other(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    login = await sign_in(store, sam.id)
    await ask(store, login)
    before = await load(store)
    now = store.clock()
    store.clock = lambda: now + 3601 * 1_000_000
    with pytest.raises(Refused) as refused:
        await ask(store, login)
    assert refused.value.status == 401
    async with store.write() as work:
        assert await sessions.purge(work) == 1
    assert not (await load(store, before)).browsers()


@pytest.mark.covers("A2")
async def test_a_login_has_only_phones_of_browsers_read_again(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    async with store.write() as work:
        phone = (await devices.add(work, {"user": sam.id})).device
    before = await load(store)
    new = await ask(store, await sign_in(store, sam.id))
    after = await load(store, before)
    assert after.users is before.users and after.settings is before.settings
    assert after.revision > before.revision and after.configured == before.configured
    assert set(after.devices) == {phone.id, new.device.id}
    async with store.write() as work:
        await settings.change(work, "organisation.name", "Other")
    whole = await load(store, after)
    assert whole.configured > after.configured and whole.settings["organisation.name"] == "Other"
    assert whole.browsers() == (new.device,) and set(whole.devices) == set(after.devices)


async def test_one_user_has_no_end_of_phones(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "MOST_PER_USER", 2)
    sam = await add_user(store, "sam@example.com")
    logins = [await sign_in(store, sam.id) for _ in range(3)]
    for login in logins[:2]:
        await ask(store, login)
    with pytest.raises(Refused, match="End your other logins"):
        await ask(store, logins[2])
    async with store.write() as work:
        await sessions.close(work, logins[0])
    await ask(store, logins[2])


async def test_an_admin_who_adds_a_phone_of_a_browser_is_told_that_there_is_nothing_to_add(store: Store) -> None:
    await add_user(store, "sam@example.com")
    with pytest.raises(Refused, match="gets its phone by itself") as refused:
        async with store.write() as work:
            await devices.add(work, {"user": "sam@example.com", "kind": "webrtc"})
    assert refused.value.field == "kind"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("stun:stun.example.com:3478", [{"urls": "stun:stun.example.com:3478"}]),
        ("", []),
        (
            '[{"urls": "turns:turn.example.com?transport=tcp", "username": "u", "credential": "c"}]',
            [{"urls": "turns:turn.example.com?transport=tcp", "username": "u", "credential": "c"}],
        ),
    ],
)
async def test_ice_servers_are_written_as_addresses_or_with_credentials(
    store: Store, written: str, kept: list[dict[str, str]]
) -> None:
    key = "webrtc.ice_servers"
    async with store.write() as work:
        assert (await settings.change(work, key, settings.from_text(key, written))).value == kept


@pytest.mark.parametrize("wrong", ["http://x", ["stun:a b"], [1], [{"username": "u"}], [{"urls": "stun:a", "x": 1}]])
async def test_a_wrong_ice_server_is_refused(store: Store, wrong: object) -> None:
    with pytest.raises(Refused):
        async with store.write() as work:
            await settings.change(work, "webrtc.ice_servers", wrong)
