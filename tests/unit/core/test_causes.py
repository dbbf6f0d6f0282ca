"""What a leg's ending means, and what may follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.core.causes import Cause, Result, cause_for, may_try_next_trunk, result_of


@pytest.mark.parametrize(
    ("cause", "status", "result"),
    [
        (17, 486, Result.BUSY),
        (17, None, Result.BUSY),
        (19, 480, Result.NO_ANSWER),
        (21, 603, Result.DECLINED),
        (1, 404, Result.UNALLOCATED),
        (34, 503, Result.UNREACHABLE),
        (26, None, Result.ELSEWHERE),
        (20, None, Result.UNREACHABLE),
        (16, 200, Result.CANCELLED),
        (127, None, Result.FAILED),
        (16, 486, Result.BUSY),
        (21, 403, Result.DECLINED),
        (21, 407, Result.UNREACHABLE),
        (38, 501, Result.FAILED),
        (38, 606, Result.DECLINED),
        (9999, None, Result.FAILED),
    ],
)
def test_the_sip_status_decides_where_it_is_known(cause: int, status: int | None, result: Result) -> None:
    assert result_of(cause, status) is result


@given(st.integers(-1, 300), st.none() | st.integers(100, 699))
def test_every_ending_has_a_result_and_a_cause_to_hand_on(cause: int, status: int | None) -> None:
    result = result_of(cause, status)
    assert result is not Result.ANSWERED
    assert isinstance(cause_for(result), Cause)


@given(st.integers(600, 699), st.integers(1, 127))
def test_what_the_called_party_refused_is_not_tried_again(status: int, cause: int) -> None:
    assert not may_try_next_trunk(result_of(cause, status))


def test_only_the_networks_fault_is_tried_by_another_way() -> None:
    assert {result for result in Result if may_try_next_trunk(result)} == {Result.UNREACHABLE, Result.FAILED}
