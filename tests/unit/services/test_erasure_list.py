"""The list of what was destroyed on request survives a write that was cut off (N5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.services.erasure_list import PERSON, Erased, ErasureList

FIRST, NEXT = Erased(PERSON, "er_1", "pe_1", 1), Erased(PERSON, "er_2", "pe_2", 2)


@pytest.mark.covers("N5")
def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "erasures.jsonl"
    listed = ErasureList(path)
    listed.add([FIRST])
    with path.open("ab") as file:
        file.write(b'{"kind":"person","id":"er_')
    listed.add([NEXT])
    assert listed.read() == [FIRST, NEXT]
