"""Settings, the do-not-call list, the audit log, the revision and idempotency keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from crm import directory
from crm.errors import Refused
from crm.services import audit, do_not_call, idempotency, settings, users
from crm.settings_registry import REGISTRY
from crm.unit_of_work import Actor, Store
from tests.integration.store.makers import add_user
from tests.support.hostile import HOSTILE_NUMBERS


@pytest.mark.covers("A1", "A2")
async def test_a_setting_is_changed_for_the_next_call_and_goes_back_to_its_default(store: Store) -> None:
    async with store.read() as session:
        assert {view.key for view in await settings.list_all(session)} == set(REGISTRY)
        before = await directory.load(session)
    async with store.write() as work:
        view = await settings.change(work, "gate.allow_countries", ["us", "JP"])
    assert (view.value, view.changed, view.default) == (["US", "JP"], True, [])
    async with store.read() as session:
        after = await directory.load(session, before)
    assert after.revision == before.revision + 1 and after.settings["gate.allow_countries"] == ["US", "JP"]
    assert before.settings["gate.allow_countries"] == []
    async with store.write() as work:
        assert not (await settings.remove(work, "gate.allow_countries")).changed


async def test_no_limit_is_a_value_of_its_own(store: Store) -> None:
    async with store.write() as work:
        await settings.change(work, "gate.max_concurrent_user", 3)
        await settings.change(work, "gate.max_concurrent_org", 5)
        assert (await settings.change(work, "gate.max_concurrent_org", None)).value is None
        assert (await settings.values(work.session))["gate.max_concurrent_user"] == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("default_country", "Atlantis"),
        ("recording.codec", "mp3"),
        ("recording.enabled", 1),
        ("gate.deny_prefixes", ["1900"]),
        ("gate.deny_prefixes", "+1900"),
        ("voicemail.max_s", 10**9),
        ("emergency.numbers", {}),
        ("emergency.numbers", {"JP": ["${EXTEN}"]}),
        ("emergency.caller_id", "911"),
        ("organisation.name", "a\0b"),
        ("no.such.key", 1),
        ("\ud800", 1),
    ],
)
async def test_a_wrong_value_is_refused_and_the_old_one_stays(store: Store, key: str, value: Any) -> None:
    with pytest.raises(Refused):
        async with store.write() as work:
            await settings.change(work, key, value)
    async with store.read() as session:
        assert not any(view.changed for view in await settings.list_all(session))


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("recording.enabled", "on", True),
        ("voicemail.max_s", "60", 60),
        ("gate.max_concurrent_org", "", None),
        ("gate.allow_countries", "US, JP", ["US", "JP"]),
        ("gate.allow_countries", '["US"]', ["US"]),
        ("emergency.numbers", '{"JP": ["110"]}', {"JP": ["110"]}),
        ("default_country", "JP", "JP"),
    ],
)
def test_a_value_typed_on_the_command_line_is_read_by_its_kind(key: str, typed: str, value: Any) -> None:
    assert settings.from_text(key, typed) == value


@pytest.mark.parametrize(("key", "typed"), [("recording.enabled", "maybe"), ("emergency.numbers", "[" * 99_999)])
def test_a_value_that_cannot_be_read_says_how_to_write_it(key: str, typed: str) -> None:
    with pytest.raises(Refused, match="Write "):
        settings.from_text(key, typed)


@pytest.mark.covers("P5")
async def test_the_do_not_call_list_is_read_again_only_when_it_changed(store: Store) -> None:
    async with store.write() as work:
        await do_not_call.add(work, {"number": "(206) 555-0150", "reason": "asked", "source": "by phone"})
    async with store.read() as session:
        first = await directory.load(session)
    assert first.do_not_call == {"+12065550150"}
    await add_user(store, "sam@example.com")
    async with store.read() as session:
        second = await directory.load(session, first)
        assert await do_not_call.contains(session, "+12065550150")
    assert second.do_not_call is first.do_not_call and second.revision > first.revision
    async with store.write() as work:
        await do_not_call.remove(work, "+1 206 555 0150")
    async with store.read() as session:
        assert (await directory.load(session, second)).do_not_call == frozenset()


async def test_the_do_not_call_list_is_paged_without_gaps_or_repeats(store: Store) -> None:
    async with store.write() as work:
        for last in range(25):
            await do_not_call.add(work, {"number": f"+120655501{last:02}"})
        with pytest.raises(Refused, match="already"):
            await do_not_call.add(work, {"number": "+12065550100"})
    seen: list[str] = []
    cursor = None
    async with store.read() as session:
        while True:
            page = await do_not_call.list_all(session, cursor=cursor, limit=10)
            seen += [entry.e164 for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(Refused, match="limit"):
            await do_not_call.list_all(session, limit=0)
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.covers("TRUST17")
async def test_no_hostile_text_gets_onto_the_do_not_call_list(store: Store) -> None:
    for raw in HOSTILE_NUMBERS:
        with pytest.raises(Refused):
            async with store.write() as work:
                await do_not_call.add(work, {"number": raw})


async def test_every_change_is_in_the_audit_log_with_who_and_what(store: Store) -> None:
    async with store.write(Actor("user", "u_boss")) as work:
        made = await users.add(work, {"email": "sam@example.com", "name": "Sam", "password": "correct horse battery"})
    async with store.write() as work:
        await users.change(work, made.id, {"role": "manager"})
    async with store.read() as session:
        entries = (await audit.list_all(session)).items
        assert [(entry.actor, entry.action) for entry in entries] == [
            ("system", "user.change"),
            ("user:u_boss", "user.add"),
        ]
        assert entries[0].before is not None and entries[0].before["role"] == "rep"
        assert entries[0].after is not None and entries[0].after["role"] == "manager"
        assert not any("argon2" in str(entry) or "horse" in str(entry) for entry in entries)
        assert (await audit.list_all(session, object_id=made.id, limit=1)).next_cursor is not None


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit SET after = replace(after, 'rep', 'admin') WHERE seq = 2",
        "UPDATE audit SET actor = 'somebody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
    ],
)
async def test_an_audit_log_that_was_tampered_with_says_where(store: Store, tamper: str) -> None:
    for name in ("a", "b", "c"):
        await add_user(store, f"{name}@example.com")
    async with store.read() as session:
        assert await audit.verify(session) is None
    async with store.write() as work:
        await work.session.execute(text(tamper))
    async with store.read() as session:
        assert await audit.verify(session) in (2, 3)


async def test_changes_made_at_once_stand_in_one_unbroken_chain(store: Store) -> None:
    await asyncio.gather(*(add_user(store, f"{index}@example.com") for index in range(20)))
    async with store.read() as session:
        assert len((await audit.list_all(session)).items) == 20
        assert await audit.verify(session) is None
        assert await directory.current_revision(session) == 21


async def test_what_is_refused_leaves_no_trace(store: Store) -> None:
    with pytest.raises(Refused):
        async with store.write() as work:
            await users.add(work, {"email": "sam@example.com", "name": "Sam"})
            await users.add(work, {"email": "sam@example.com", "name": "Sam again"})
    async with store.read() as session:
        assert await users.list_all(session) == []
        assert (await audit.list_all(session)).items == []
        assert await directory.current_revision(session) == 1


@pytest.mark.covers("TRUST10")
async def test_of_a_hundred_requests_with_one_key_exactly_one_is_new(store: Store) -> None:
    async def claim(index: int) -> idempotency.Claim:
        async with store.write() as work:
            return await idempotency.claim(work, "u_1", "key", "hash", f"c_{index}")

    claims = await asyncio.gather(*(claim(index) for index in range(100)))
    assert sum(made.new for made in claims) == 1
    assert len({made.object_id for made in claims}) == 1


@pytest.mark.covers("TRUST10")
async def test_a_repeat_gets_the_first_answer_and_another_request_is_refused(store: Store) -> None:
    async with store.write() as work:
        await idempotency.claim(work, "u_1", "key", "hash", "c_1")
        await idempotency.settle(work, "u_1", "key", 201, '{"id": "c_1"}')
    async with store.write() as work:
        again = await idempotency.claim(work, "u_1", "key", "hash", "c_2")
        assert again == idempotency.Claim(False, "c_1", 201, '{"id": "c_1"}')
        assert (await idempotency.claim(work, "u_2", "key", "hash", "c_3")).new
        with pytest.raises(Refused, match="another request"):
            await idempotency.claim(work, "u_1", "key", "other hash", "c_4")
    async with store.write() as work:
        assert await idempotency.purge(work, work.at_us + 1) == 2
