"""Do-not-call lists of millions: imported, replaced as a whole, and asked within a call's own step (L4)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from crm import directory
from crm.errors import Refused
from crm.number_sets import ListedNumbers
from crm.services import do_not_call, do_not_call_lists
from crm.unit_of_work import CLI, Store

pytestmark = pytest.mark.covers("L4")


async def test_a_file_in_any_notation_becomes_a_list_and_its_bad_lines_a_report(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text("Area,Number\n206,5550150\n(206) 555-0151\n+81 3 1234 5678\nnobody\n2065550150\n12065550152\n")
    result = await do_not_call_lists.import_file(store, file, name="Register", source="FTC", actor=CLI)
    assert (result.list.numbers, result.lines, result.refused) == (4, 7, 1)
    assert result.report is not None and "nobody" in result.report.read_text()
    async with store.read() as session:
        found = (await directory.load(session)).do_not_call
    numbers = ("+12065550150", "+12065550151", "+12065550152", "+81312345678")
    assert all(number in found for number in numbers) and "+12065550153" not in found and "no number" not in found


async def test_a_new_list_of_the_same_name_takes_the_old_ones_place_and_only_what_is_new_is_read(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "register.txt"
    file.write_text("+12065550150\n")
    other = tmp_path / "other.txt"
    other.write_text("+12065550199\n")
    await do_not_call_lists.import_file(store, file, name="Register", actor=CLI)
    await do_not_call_lists.import_file(store, other, name="Other", actor=CLI)
    async with store.write() as work:
        await do_not_call.add(work, {"number": "+12065550111"})
    async with store.read() as session:
        first = await directory.load(session)
    file.write_text("+12065550160\n")
    await do_not_call_lists.import_file(store, file, name="Register", actor=CLI)
    async with store.read() as session:
        second = await directory.load(session, first)
        names = [each.name for each in await do_not_call_lists.list_all(session)]
    assert isinstance(first.do_not_call, ListedNumbers) and isinstance(second.do_not_call, ListedNumbers)
    kept = set(first.do_not_call.lists) & set(second.do_not_call.lists)
    assert len(kept) == 1 and all(second.do_not_call.lists[each] is first.do_not_call.lists[each] for each in kept)
    assert names == ["Other", "Register"]
    assert second.do_not_call == {"+12065550111", "+12065550199", "+12065550160"}
    async with store.write() as work:
        await do_not_call_lists.remove(work, "Register")
    async with store.read() as session:
        assert "+12065550160" not in (await directory.load(session, second)).do_not_call


async def test_a_file_without_numbers_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("name\nMargaret\n")
    with pytest.raises(Refused, match="no telephone number"):
        await do_not_call_lists.import_file(store, file, name="Register", actor=CLI)
    async with store.read() as session:
        assert await do_not_call_lists.list_all(session) == []


async def test_half_a_million_numbers_are_asked_in_far_less_than_a_millisecond(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "register.txt"
    file.write_text("\n".join(f"+1206{number:07}" for number in range(2_000_000, 2_500_000)))
    await do_not_call_lists.import_file(store, file, name="Register", actor=CLI)
    async with store.read() as session:
        found = (await directory.load(session)).do_not_call
    asked = [f"+1206{number:07}" for number in range(2_400_000, 2_600_000, 200)]
    began = time.process_time()
    hits = sum(number in found for number in asked)
    each_s = (time.process_time() - began) / len(asked)
    assert hits == 500 and each_s < 0.001
