"""What a scrape tells of each of several Asterisks (A4, A8)."""

from __future__ import annotations

import pytest

from pbx.services.live_records import LiveRecords
from pbx.services.metrics import Metrics


@pytest.mark.covers("A4", "A8")
async def test_a_scrape_tells_of_each_node() -> None:
    node = {"name": "b", "linked": True, "calls": 3, "lag_ms": 1.5, "overloaded": False, "intruders_heard": True}
    text = Metrics(LiveRecords(), lambda: {"ready": True, "nodes": [node]}).text().decode()
    assert 'switchhook_node_linked{node="b"} 1.0' in text and 'switchhook_node_calls{node="b"} 3.0' in text
    assert "switchhook_node" not in Metrics(LiveRecords(), lambda: {"ready": True}).text().decode()
