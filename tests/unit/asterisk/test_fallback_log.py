"""Reading what the dialplan did alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pbx.adapters.asterisk.fallback_log import FallbackCall, FallbackLog


def line(message: str) -> str:
    return json.dumps({"logmsg": {"level": "fallback", "message": f"{message}\n"}}) + "\n"


@pytest.mark.covers("P3", "TRUST2")
def test_the_lines_of_a_call_become_one_call_across_rotated_files(tmp_path: Path) -> None:
    (tmp_path / "fallback.log.1").write_text(line("begin|17.1|17|in|tr_a|+14155550101|+12065550142"))
    (tmp_path / "fallback.log").write_text(
        "[a banner of the logger]\n"
        + line("answer|17.1|21|d7kq2m9xw4")
        + line("begin|18.2|18|in|tr_a|!x|")
        + line("end|17.1|60|ANSWER|16")
        + '{"cut sho'
    )
    assert FallbackLog(tmp_path).fresh() == [
        FallbackCall("17.1", "in", "tr_a", "+14155550101", "+12065550142", 17, 21, "d7kq2m9xw4", 60, "ANSWER", 16),
        FallbackCall("18.2", "in", "tr_a", "!x", "", 18),
    ]


@pytest.mark.covers("P3", "P5")
def test_a_call_that_was_refused_before_it_had_a_channel_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "fallback.log").write_text(
        line("shed|17.000123.1|17|in|tr_a|+14155550101|+12065550142") + line("shed|17.000123.2|17|out|d7kq2m9xw4|!x|")
    )
    assert FallbackLog(tmp_path).fresh() == [
        FallbackCall("17.000123.1", "in", "tr_a", "+14155550101", "+12065550142", 17, None, "", 17, "SHED", 42),
        FallbackCall("17.000123.2", "out", "d7kq2m9xw4", "!x", "", 17, None, "", 17, "SHED", 42),
    ]


def test_it_reads_on_from_where_it_stopped(tmp_path: Path) -> None:
    path, log = tmp_path / "fallback.log", FallbackLog(tmp_path)
    begun, ended = line("begin|17.1|17|in|tr_a|+14155550101|"), line("end|17.1|60|NOANSWER|19")
    path.write_text(line("shed|17.000123.1|17|out|d7kq2m9xw4|!x|") + begun)
    assert [call.channel for call in log.fresh()] == ["17.000123.1", "17.1"]
    assert [call.channel for call in log.fresh()] == ["17.1"], "it still goes on"
    with path.open("a") as file:
        file.write(ended[:20])
    assert [call.ended_at_s for call in log.fresh()] == [None], "its line is not whole"
    with path.open("a") as file:
        file.write(ended[20:])
    path.rename(tmp_path / "fallback.log.1")
    path.write_text(line("begin|18.2|18|in|tr_a|!x|"))
    assert [(call.channel, call.ended_at_s) for call in log.fresh()] == [("17.1", 60), ("18.2", None)]
    assert [call.channel for call in log.fresh()] == ["18.2"]


def test_a_new_file_that_has_the_inode_of_an_old_one_is_read_from_its_begin(tmp_path: Path) -> None:
    path, log = tmp_path / "fallback.log", FallbackLog(tmp_path)
    path.write_text(line("shed|17.000123.1|17|out|d7kq2m9xw4|!x|"))
    assert [call.channel for call in log.fresh()] == ["17.000123.1"]
    path.write_text(line("shed|18.000123.1|18|out|d7kq2m9xw4|!x|") + line("shed|18.000123.2|18|out|d7kq2m9xw4|!x|"))
    assert [call.channel for call in log.fresh()] == ["18.000123.1", "18.000123.2"]


def test_no_log_is_no_calls(tmp_path: Path) -> None:
    assert FallbackLog(tmp_path).fresh() == []
