"""Reading when legs ended while nobody listened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pbx.adapters.asterisk.endings import LARGEST, Endings
from pbx.adapters.asterisk.fallback_log import FallbackCall
from pbx.core.call.mending import Ending
from pbx.core.ids import Instant, LegId

pytestmark = pytest.mark.covers("P1", "P3")
LEG = LegId("leg_01HZ0000000000000000000001_2")


def line(message: str) -> str:
    return json.dumps({"logmsg": {"level": "ended", "message": f"{message}\n"}}) + "\n"


def endings(folder: Path, *lines: str) -> Endings:
    (folder / "ended.log").write_text("[a banner of the logger]\n" + "".join(lines) + '{"cut sho')
    return Endings(folder, {LEG: LEG, "17.1": LegId("leg_x_1")}.get)


def test_each_line_tells_when_and_why_one_of_our_legs_ended(tmp_path: Path) -> None:
    lines = [line(f"ended|{LEG}|20.250|17|Ringing"), line("ended|17.1|21.000|0|Up|in|tr_a|+1415|+1206")]
    assert endings(tmp_path, *lines, line("ended|99.9|22.000|16|Up")).read() == {
        LEG: Ending(Instant(20_250_000), 17, False),
        "leg_x_1": Ending(Instant(21_000_000), 16, True),
    }


def test_no_log_is_no_endings(tmp_path: Path) -> None:
    assert Endings(tmp_path, lambda channel: None).read() == {}


def test_who_came_and_left_before_any_engine_had_heard_is_a_call_all_the_same(tmp_path: Path) -> None:
    came = [line(f"ended|{second}.1|{second + 1}.500|127|Ring|in|tr_a|+1415|+1206") for second in (10, 20, 30, 40)]
    found = endings(tmp_path, *came, line(f"ended|{LEG}|21.000|16|Up")).unheard(
        Instant(15_000_000), Instant(35_000_000), {"30.1"}, Instant(50_000_000)
    )
    assert found == [
        FallbackCall("20.1", "in", "tr_a", "+1415", "+1206", 20, ended_at_s=21, result="CANCEL", cause=127)
    ]


def test_whose_coming_we_may_still_read_is_not_taken_for_one_that_nobody_heard_of(tmp_path: Path) -> None:
    came = [line(f"ended|{second}.1|{second + 1}.500|127|Ring|in|tr_a|+1415|+1206") for second in (20, 30)]
    found = endings(tmp_path, *came).unheard(Instant(15_000_000), Instant(35_000_000), {}, Instant(31_000_000))
    assert [(call.channel, call.ended_at_s) for call in found] == [("20.1", 21), ("30.1", None)]


def test_a_long_log_is_emptied_once_it_has_been_read(tmp_path: Path) -> None:
    log = endings(tmp_path, line("ended|17.1|21.000|0|Up"))
    log.trim()
    assert log.read()
    (tmp_path / "ended.log").write_text("x" * (LARGEST + 1))
    log.trim()
    assert (tmp_path / "ended.log").stat().st_size == 0
