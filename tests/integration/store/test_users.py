"""Users: adding, changing, removing, logging in, and every refusal of these."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm import directory
from crm.errors import Refused
from crm.services import sessions, tokens, users
from crm.unit_of_work import Actor, Store
from tests.integration.store.makers import add_user
from tests.support.hostile import HOSTILE_TEXTS, NOT_TEXTS

PASSWORD = "correct horse battery"


@pytest.mark.covers("A1")
async def test_a_user_is_added_listed_shown_changed_and_removed(store: Store) -> None:
    made = await add_user(store, "mio@example.com", name="田中 美緒", language="ja", country="JP")
    async with store.read() as session:
        assert await users.list_all(session) == [made]
        assert await users.show(session, "MIO@example.com") == made == await users.show(session, made.id)
    async with store.write() as work:
        changed = await users.change(work, made.id, {"role": "manager", "forwarding_number": "090-1234-5678"})
    assert (changed.role, changed.forwarding_number) == ("manager", "+819012345678")
    async with store.write() as work:
        assert await users.remove(work, made.id) == changed
    async with store.read() as session:
        assert await users.list_all(session) == []


async def test_an_email_address_is_taken_whatever_its_case(store: Store) -> None:
    await add_user(store, "sam@example.com")
    with pytest.raises(Refused) as refused:
        await add_user(store, "SAM@Example.com")
    assert (refused.value.code, refused.value.status, refused.value.field) == ("email_taken", 409, "email")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"role": "owner"}, "role"),
        ({"ring_time_s": 0}, "ring_time_s"),
        ({"ring_time_s": "25"}, "ring_time_s"),
        ({"ring_time_s": True}, "ring_time_s"),
        ({"forwarding_number": "4155550101@evil"}, "forwarding_number"),
        ({"language": "xx"}, "language"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"country": "ZZ"}, "country"),
        ({"password": "short"}, "password"),
        ({"max_concurrent": 10**30}, "max_concurrent"),
        ({"shoe_size": 43}, "shoe_size"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(store: Store, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await users.add(work, {"email": "sam@example.com", "name": "Sam"} | values)
    assert refused.value.field == field and refused.value.message.endswith(".")
    async with store.read() as session:
        assert await users.list_all(session) == []


@pytest.mark.covers("TRUST17")
async def test_hostile_text_in_any_field_is_refused_and_nothing_is_kept(store: Store) -> None:
    named = await add_user(store, "sam@example.com")
    for field in ("email", "name", "language", "country", "time_zone", "forwarding_number", "role"):
        for text in (*HOSTILE_TEXTS, *NOT_TEXTS):
            if text is None and field == "forwarding_number":
                continue  # None means: take it away
            with pytest.raises(Refused):
                async with store.write() as work:
                    await users.change(work, named.id, {field: text})
    async with store.read() as session:
        assert await users.list_all(session) == [named]
        for text in (*HOSTILE_TEXTS, *NOT_TEXTS):
            with pytest.raises(Refused):
                await users.show(session, text)  # type: ignore[arg-type]


@pytest.mark.covers("I4", "A2")
async def test_users_change_their_own_forwarding_number_and_the_engine_is_told(store: Store) -> None:
    named = await add_user(store, "sam@example.com")
    async with store.read() as session:
        before = await directory.current_revision(session)
    async with store.write(Actor("user", named.id)) as work:
        await users.change_own(work, named.id, {"forwarding_number": "(206) 555-0130"})
    async with store.read() as session:
        assert await directory.current_revision(session) == before + 1
        assert (await directory.load(session)).users[named.id].forwarding_number == "+12065550130"
    async with store.write() as work:
        assert (await users.change_own(work, named.id, {"forwarding_number": None})).forwarding_number is None


async def test_users_cannot_give_themselves_rights(store: Store) -> None:
    named = await add_user(store, "sam@example.com")
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await users.change_own(work, named.id, {"role": "admin"})
    assert refused.value.status == 403


async def test_the_last_admin_stays(store: Store) -> None:
    only = await add_user(store, "root@example.com", role="admin")
    for values in ({"role": "rep"}, {"active": False}):
        with pytest.raises(Refused, match="last active admin"):
            async with store.write() as work:
                await users.change(work, only.id, values)
    with pytest.raises(Refused, match="last active admin"):
        async with store.write() as work:
            await users.remove(work, only.id)


async def test_of_two_admins_who_demote_each_other_at_once_one_stays(store: Store) -> None:
    made = [await add_user(store, f"{name}@example.com", role="admin") for name in "ab"]

    async def demote(index: int) -> str:
        try:
            async with store.write() as work:
                await users.change(work, made[index].id, {"role": "rep"})
        except Refused as refused:
            return refused.code
        return "done"

    assert sorted(await asyncio.gather(demote(0), demote(1))) == ["done", "last_admin"]


async def test_only_the_right_password_of_an_active_user_logs_in(store: Store) -> None:
    named = await add_user(store, "sam@example.com", password=PASSWORD)
    async with store.read() as session:
        assert (await users.sign_in(session, "Sam@example.com", PASSWORD)).id == named.id
        refusals = []
        for email, password in (("sam@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("a\0b@c.d", "\ud800")):
            with pytest.raises(Refused) as refused:
                await users.sign_in(session, email, password)
            refusals.append((refused.value.code, refused.value.message, refused.value.status))
    assert len(set(refusals)) == 1 and refusals[0][2] == 401
    async with store.write() as work:
        await users.change(work, named.id, {"active": False})
    async with store.read() as session:
        with pytest.raises(Refused, match="not right"):
            await users.sign_in(session, "sam@example.com", PASSWORD)


async def test_a_new_password_ends_every_login(store: Store) -> None:
    named = await add_user(store, "sam@example.com", password=PASSWORD)
    async with store.write() as work:
        opened = await sessions.open(work, named.id, address="127.0.0.1", agent="Browser\x1b[0m")
    async with store.read() as session:
        found = await sessions.find(session, opened.token)
        assert found is not None and found[1] == named and found[0].agent.isprintable()
        assert await sessions.find(session, opened.token + "x") is None
    with pytest.raises(Refused, match="old password"):
        async with store.write() as work:
            await users.change_own_password(work, named.id, "wrong password", PASSWORD + "2")
    async with store.write() as work:
        await users.change_own_password(work, named.id, PASSWORD, PASSWORD + "2")
    async with store.read() as session:
        assert await sessions.find(session, opened.token) is None
        assert (await users.sign_in(session, "sam@example.com", PASSWORD + "2")).has_password


async def test_a_login_expires_unless_it_is_used(store: Store) -> None:
    named = await add_user(store, "sam@example.com")
    async with store.write() as work:
        opened = await sessions.open(work, named.id, address="", agent="", lifetime_s=60)
    end = opened.session.expires_us
    async with store.read() as session:
        assert await sessions.find(session, opened.token, end - 1) is not None
        assert await sessions.find(session, opened.token, end) is None
    async with store.write() as work:
        await sessions.touch(work, opened.session.id)
    async with store.read() as session:
        assert await sessions.find(session, opened.token, end) is not None
    async with store.write() as work:
        await sessions.close(work, opened.session.id)
        assert await sessions.purge(work) == 0


@pytest.mark.covers("A5")
async def test_a_token_acts_for_its_user_within_its_scopes_until_it_is_removed(store: Store) -> None:
    named = await add_user(store, "sam@example.com")
    async with store.write() as work:
        new = await tokens.add(work, named.id, {"name": "CRM sync", "scopes": ["calls:read"], "expires_in_days": 1})
        with pytest.raises(Refused, match="one of"):
            await tokens.add(work, named.id, {"name": "x", "scopes": ["everything"]})
    assert new.secret not in repr(new) and len(new.secret) >= 20
    async with store.read() as session:
        found = await tokens.find(session, new.secret)
        assert found is not None and found[0].scopes == ("calls:read",) and found[1] == named
        assert await tokens.find(session, new.secret, new.token.expires_us) is None
        assert await tokens.find(session, "\ud800") is None
        assert await tokens.list_all(session, "sam@example.com") == [new.token]
    async with store.write() as work:
        await tokens.remove(work, new.token.id)
    async with store.read() as session:
        assert await tokens.find(session, new.secret) is None
