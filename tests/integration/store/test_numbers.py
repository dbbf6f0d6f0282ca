"""DIDs: at most one per user and one user per DID, by service and by database; what a number can do."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from crm import directory
from crm.errors import Refused
from crm.services import numbers, users
from crm.unit_of_work import Store
from tests.integration.store.makers import add_number, add_user
from tests.support.hostile import HOSTILE_NUMBERS


@pytest.mark.covers("N1", "A1")
async def test_a_number_is_added_in_any_notation_shown_changed_and_removed(store: Store) -> None:
    made = await add_number(store, "(415) 555-0101", label="Sales")
    assert (made.e164, made.country, made.voice, made.sms) == ("+14155550101", "US", True, True)
    async with store.read() as session:
        assert await numbers.show(session, "1 415 555 0101") == made
        assert await numbers.list_all(session, free=True) == [made]
        assert await numbers.list_all(session, free=False) == []
    with pytest.raises(Refused) as refused:
        await add_number(store, "+1 415 555 0101")
    assert refused.value.code == "number_exists"
    async with store.write() as work:
        assert (await numbers.change(work, made.e164, {"label": "Support", "sms": False})).label == "Support"
        await numbers.remove(work, made.e164)
    async with store.read() as session:
        with pytest.raises(Refused) as missing:
            await numbers.show(session, made.e164)
    assert missing.value.status == 404


@pytest.mark.covers("N1")
async def test_a_second_number_for_a_user_is_refused_by_the_service(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    await add_number(store, "+14155550101", user=sam.id)
    with pytest.raises(Refused) as added:
        await add_number(store, "+14155550102", user=sam.id)
    assert (added.value.code, added.value.status) == ("user_has_number", 409)
    await add_number(store, "+14155550103")
    with pytest.raises(Refused, match="Take that one away first"):
        async with store.write() as work:
            await numbers.change(work, "+14155550103", {"user": "sam@example.com"})


@pytest.mark.covers("N1")
async def test_a_number_that_somebody_has_is_not_taken_over(store: Store) -> None:
    sam, mio = await add_user(store, "sam@example.com"), await add_user(store, "mio@example.com")
    await add_number(store, "+14155550101", user=sam.id)
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await numbers.change(work, "+14155550101", {"user": mio.id})
    assert refused.value.code == "number_has_user"
    async with store.write() as work:
        await numbers.change(work, "+14155550101", {"user": None})
        await numbers.change(work, "+14155550101", {"user": mio.id})
    async with store.read() as session:
        assert (await users.show(session, mio.id)).number == "+14155550101"
        assert (await users.show(session, sam.id)).number is None


@pytest.mark.covers("N1")
async def test_the_database_itself_refuses_a_second_number_for_a_user(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    await add_number(store, "+14155550101", user=sam.id)
    await add_number(store, "+14155550102")
    with pytest.raises(Refused) as refused:
        async with store.write() as work:
            await work.session.execute(
                text("UPDATE numbers SET user_id = :user WHERE e164 = '+14155550102'"), {"user": sam.id}
            )
    assert (refused.value.code, refused.value.status) == ("user_has_number", 409)


@pytest.mark.covers("N1")
async def test_of_many_assignments_at_once_one_wins_and_the_others_are_told_why(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    for last in range(6):
        await add_number(store, f"+1415555010{last}")

    async def assign(last: int) -> str:
        try:
            async with store.write() as work:
                await numbers.change(work, f"+1415555010{last}", {"user": sam.id})
        except Refused as refused:
            return refused.code
        return "assigned"

    results = await asyncio.gather(*(assign(last) for last in range(6)))
    assert sorted(results) == ["assigned"] + ["user_has_number"] * 5


@pytest.mark.covers("N2", "N3")
async def test_a_number_does_what_its_capabilities_say_and_the_reason_is_given(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    async with store.read() as session:
        with pytest.raises(Refused, match="no number of your own"):
            await numbers.require(session, sam.id, "voice")
    await add_number(store, "+14155550101", user=sam.id)
    async with store.read() as session:
        for capability in ("voice", "sms"):
            assert (await numbers.require(session, sam.id, capability)).e164 == "+14155550101"
    async with store.write() as work:
        await numbers.change(work, "+14155550101", {"sms": False})
        with pytest.raises(Refused, match="cannot send or receive texts"):
            await numbers.require(work.session, sam.id, "sms")
    with pytest.raises(Refused, match="voice, sms or both"):
        async with store.write() as work:
            await numbers.change(work, "+14155550101", {"voice": False})


@pytest.mark.covers("TRUST17")
async def test_no_hostile_text_becomes_a_number(store: Store) -> None:
    for raw in HOSTILE_NUMBERS:
        with pytest.raises(Refused):
            await add_number(store, raw)
        async with store.read() as session:
            with pytest.raises(Refused):
                await numbers.show(session, raw)
    async with store.read() as session:
        assert await numbers.list_all(session) == []


async def test_a_number_is_not_forwarded_to_itself(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    await add_number(store, "+14155550101", user=sam.id)
    with pytest.raises(Refused, match="forwarded to itself"):
        async with store.write() as work:
            await users.change(work, sam.id, {"forwarding_number": "415 555 0101"})


@pytest.mark.covers("A2")
async def test_a_removed_user_frees_the_number(store: Store) -> None:
    sam = await add_user(store, "sam@example.com")
    await add_number(store, "+14155550101", user=sam.id)
    async with store.read() as session:
        before = await directory.load(session)
    assert before.user_of("+14155550101") == await _shown(store, sam.id)
    async with store.write() as work:
        await users.remove(work, sam.id)
    async with store.read() as session:
        after = await directory.load(session, before)
    assert after.user_of("+14155550101") is None and "+14155550101" in after.numbers
    assert after.revision > before.revision and before.users[sam.id].number == "+14155550101"


async def _shown(store: Store, user_id: str) -> object:
    async with store.read() as session:
        return await users.show(session, user_id)
