"""What the ARI client writes: whole masked frames (RFC 6455), those of one turn in one write."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest

from pbx.adapters.asterisk.ari import MOST_UNCONFIRMED, AriClient, frame


def unmasked(data: bytes) -> tuple[bytes, bytes]:
    """The payload of the first frame, and what follows it."""
    assert data[0] == 0x81 and data[1] & 0x80, "a final text frame of a client"
    length, at = data[1] & 0x7F, 2
    if length == 126:
        (length,), at = struct.unpack("!H", data[2:4]), 4
    elif length == 127:
        (length,), at = struct.unpack("!Q", data[2:10]), 10
    mask, payload = data[at : at + 4], data[at + 4 : at + 4 + length]
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload)), data[at + 4 + length :]


@pytest.mark.parametrize("length", [0, 1, 5, 125, 126, 300, 65535, 65536])
def test_a_frame_of_any_length_is_read_back_whole(length: int) -> None:
    payload = bytes(range(256)) * (length // 256 + 1)
    assert unmasked(frame(payload[:length])) == (payload[:length], b"")


class Wire:
    """Stands for the socket and for what it writes to."""

    closed = False

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


async def test_what_one_turn_asks_for_goes_out_in_one_write_and_in_order() -> None:
    client, wire = _client()
    client.send("POST", "bridges/br_1")
    client.send("POST", "bridges/br_1/addChannel", {"channel": "1.1"})
    assert not wire.writes
    await asyncio.sleep(0)
    (written,) = wire.writes
    first, rest = unmasked(written)
    second, rest = unmasked(rest)
    assert b'"uri":"bridges/br_1"' in first and b"addChannel" in second and not rest


async def test_what_cannot_wait_goes_out_at_once_and_only_once() -> None:
    client, wire = _client()
    client.send("POST", "channels/create")
    client.flush()
    assert len(wire.writes) == 1
    await asyncio.sleep(0)
    assert len(wire.writes) == 1


async def test_what_was_done_is_answered_only_where_somebody_wants_to_hear_it() -> None:
    client, wire = _client()
    heard: list[tuple[str, int]] = []

    def hears(name: str) -> Any:
        return lambda status, content: heard.append((name, status))

    client.send("POST", "bridges/br_1")
    client.send("POST", "bridges/br_1/addChannel", on_answer=hears("quiet"), quiet=True)
    client.send("POST", "bridges/br_1/addChannel", on_answer=hears("refused"), quiet=True)
    client.send("POST", "channels/1.1/answer", on_answer=hears("answer"))
    assert [request.get("quiet") for request in await _asked(wire)] == [True, True, True, None]
    for number, status in ((3, 422), (4, 204)):
        client._received(json.dumps({"type": "RESTResponse", "request_id": str(number), "status_code": status}))
    assert heard == [("refused", 422), ("answer", 204)]
    await client._lost()
    assert len(heard) == 2, "the quiet one before it was done, as Asterisk goes in order"


async def test_an_asterisk_that_answers_all_the_same_is_passed_over() -> None:
    client, _ = _client()
    heard: list[int] = []
    client.send("POST", "bridges/br_1/addChannel", on_answer=lambda status, content: heard.append(status), quiet=True)
    client.send("POST", "bridges/br_2", on_answer=lambda status, content: heard.append(status))
    for number in (1, 2):
        client._received(json.dumps({"type": "RESTResponse", "request_id": str(number), "status_code": 200}))
    await client._lost()
    assert heard == [200]


async def test_who_asked_quietly_hears_that_the_link_was_lost() -> None:
    client, _ = _client()
    heard: list[int] = []
    client.send("POST", "bridges/br_1/addChannel", on_answer=lambda status, content: heard.append(status), quiet=True)
    await client._lost()
    assert heard == [0]


async def test_of_many_quiet_requests_one_is_answered_and_those_before_it_are_known_to_be_done() -> None:
    client, wire = _client()
    heard: list[int] = []
    for _ in range(MOST_UNCONFIRMED + 1):
        client.send("POST", "channels/create", on_answer=lambda status, content: heard.append(status), quiet=True)
    assert [request["quiet"] for request in await _asked(wire)] == [*[True] * MOST_UNCONFIRMED, False]
    last = str(MOST_UNCONFIRMED + 1)
    client._received(json.dumps({"type": "RESTResponse", "request_id": last, "status_code": 200}))
    await client._lost()
    assert heard == []


async def _asked(wire: Wire) -> list[dict[str, Any]]:
    await asyncio.sleep(0)
    requests, rest = [], b"".join(wire.writes)
    while rest:
        payload, rest = unmasked(rest)
        requests.append(json.loads(payload))
    return requests


def _client() -> tuple[AriClient, Wire]:
    client, wire = AriClient("http://localhost", "user", "secret", "app", lambda event: None), Wire()
    holder: Any = client
    holder._socket = holder._transport = wire
    return client, wire
