"""The demo organisation."""

from __future__ import annotations

import pytest

from crm.repositories.texts import ConversationFilter, TextFilter
from crm.services import (
    call_lists,
    demo,
    devices,
    ledger,
    list_entries,
    notices,
    opt_outs,
    scripts,
    text_templates,
    texts,
    users,
)
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


@pytest.mark.covers("T1", "T4", "T7")
async def test_the_demo_has_written_with_its_customers_and_some_of_it_is_unread(store: Store) -> None:
    async with store.write() as work:
        seeded = await demo.seed(work)
        again = await demo.seed(work)
    assert again.users == seeded.users
    async with store.read() as session:
        found = (await texts.page(session, ConversationFilter())).items
        assert len(found) == 7 and all(each.name and each.user_id for each in found)
        assert sum(each.unread for each in found) == 3
        states = {each.state for each in (await texts.log(session, TextFilter())).items}
        assert states == {"received", "delivered", "sent", "failed"}
        assert [each.e164 for each in (await opt_outs.list_all(session)).items] == ["+12065550131"]
        assert len(await text_templates.list_all(session)) == 3


@pytest.mark.covers("N4", "R2", "L5")
async def test_the_demos_account_adds_up_and_its_list_is_half_worked_through(store: Store) -> None:
    async with store.write() as work:
        await demo.seed(work)
    async with store.read() as session:
        statement = (await ledger.page(session)).items
        assert {each.kind for each in statement} == {"complimentary", "top_up", "text"}
        assert await ledger.verify(session) is None
        [made] = await call_lists.list_all(session)
        assert (made.counts.waiting, made.counts.done, made.counts.out) == (8, 3, 1)
        entries = (await list_entries.page(session, made.id, 2**62)).items
        assert [each.outcome_id is not None for each in entries[:6]] == [True, True, False, False, True, True]
