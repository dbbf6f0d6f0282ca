"""Every id inside a call tells which call it belongs to."""

from __future__ import annotations

import pytest

from pbx.core import ids
from pbx.core.ids import CallId, call_of

CALL = CallId("c_01HZ0000000000000000000001")


@pytest.mark.parametrize(
    "name",
    [
        CALL,
        ids.leg_id(CALL, 12),
        ids.bridge_id(CALL),
        ids.playback_id(CALL, 3),
        ids.recording_id(CALL, 2),
        ids.voicemail_id(CALL),
    ],
)
def test_an_id_leads_back_to_its_call(name: str) -> None:
    assert call_of(name) == CALL


@pytest.mark.parametrize("name", ["", "1732444.5", "PJSIP/d1-00000001", "legs_1", "u_01HZ", "Local/1@x;2"])
def test_other_names_belong_to_no_call(name: str) -> None:
    assert call_of(name) is None
