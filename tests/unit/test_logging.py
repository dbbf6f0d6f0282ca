"""Logs: one line of JSON each, with the ids that lead through the layers, without secrets and numbers."""

from __future__ import annotations

import io
import logging

import orjson
import pytest
import structlog

from pbx.logging import configure


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def read(lines: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in lines.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def restored() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.covers("A4")
def test_every_line_carries_the_call_and_hides_secrets_and_numbers(lines: io.StringIO) -> None:
    configure("info", stream=lines)
    with structlog.contextvars.bound_contextvars(call="c_1"):
        structlog.get_logger("calls").info(
            "call.begun",
            customer_number="+12065550150",
            secret="hunter2",
            nested={"password": "x", "to": "+81312345678"},
        )
    logging.getLogger("somebody").warning("plain %s", "words")
    first, second = read(lines)
    assert (first["event"], first["call"], first["logger"], first["level"]) == ("call.begun", "c_1", "calls", "info")
    assert (first["customer_number"], first["secret"]) == ("…50", "***")
    assert first["nested"] == {"password": "***", "to": "…78"}
    assert second["event"] == "plain words"


def test_numbers_are_shown_where_somebody_debugs_and_secrets_never(lines: io.StringIO) -> None:
    configure("debug", stream=lines)
    structlog.get_logger("calls").debug("dial", number="+12065550150", token="swh_x")
    assert (read(lines)[0]["number"], read(lines)[0]["token"]) == ("+12065550150", "***")


def test_what_is_below_the_level_is_not_written(lines: io.StringIO) -> None:
    configure("warning", stream=lines)
    structlog.get_logger("x").info("nothing")
    assert lines.getvalue() == ""


def test_what_json_cannot_hold_is_written_all_the_same(lines: io.StringIO) -> None:
    configure("info", stream=lines)
    structlog.get_logger("x").info("odd", text="\ud800", thing=object(), error=ValueError("no"))
    assert read(lines)[0]["text"] == "'\\ud800'"
