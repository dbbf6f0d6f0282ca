"""How an import makes room for others who write."""

from __future__ import annotations

import asyncio

from crm.services.import_pace import FEWEST, FIRST, HELD_S, LEFT_ALONE_S, MOST, Pace


def test_slow_transactions_get_fewer_lines_and_quick_ones_at_most_twice_as_many() -> None:
    pace = Pace(one_writer=True)
    assert pace.at_once == FIRST
    pace.took(FIRST, 2 * HELD_S)
    assert pace.at_once == FIRST // 2
    pace.took(25, HELD_S / 100)
    assert pace.at_once == 50
    pace.took(50, 100 * HELD_S)
    assert pace.at_once == FEWEST
    for _ in range(20):
        pace.took(pace.at_once, 0)
    assert pace.at_once == MOST


def test_short_transactions_are_followed_by_room_once_they_add_up() -> None:
    pace = Pace(one_writer=True)
    due = [pace.took(1, HELD_S / 8) for _ in range(8)]
    assert due == [False, False, False, True] * 2


async def test_the_lock_is_left_alone_after_it_was_held_where_only_one_can_write() -> None:
    times = iter((0.0, HELD_S, HELD_S, 2 * HELD_S))
    loop = asyncio.get_running_loop()
    for one_writer, room_s in ((True, LEFT_ALONE_S), (False, 0.0)):
        pace = Pace(one_writer=one_writer, clock=lambda: next(times))
        began = loop.time()
        async with pace.writing(FIRST):
            pass
        assert loop.time() - began >= room_s * 0.9
    assert pace.at_once == MOST, "many can write: a batch is written as it comes"
