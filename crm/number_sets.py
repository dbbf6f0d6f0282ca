"""Millions of telephone numbers in memory: eight bytes each, in order, found by halving (L4).

A number of E.164 has 15 digits at most, so its digits are a whole number that fits. Five million take 40 MB, and a
look-up a few microseconds: the gate asks within a call's own step.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

BLOCK = 4096


class PackedNumbers:
    """``packed`` holds whole numbers of eight bytes, in order, in the machine's own way of writing them."""

    def __init__(self, packed: bytes) -> None:
        self._numbers = memoryview(packed).cast("Q")

    def __contains__(self, digits: int) -> bool:
        at = bisect_left(self._numbers, digits)
        return at < len(self._numbers) and self._numbers[at] == digits

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)


class ListedNumbers(Set[str]):
    """The organisation's own numbers and those of lists from outside, as one set. A number may be in several lists:
    ``len`` counts it in each."""

    def __init__(self, own: frozenset[str], lists: Mapping[str, PackedNumbers]) -> None:
        self.own, self.lists = own, lists
        self._packed = tuple(lists.values())

    def __contains__(self, e164: object) -> bool:
        if e164 in self.own:
            return True
        digits = digits_of(e164)
        return digits is not None and any(digits in packed for packed in self._packed)

    def __len__(self) -> int:
        return len(self.own) + sum(map(len, self._packed))

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        for packed in self._packed:
            yield from (f"+{digits}" for digits in packed)


def digits_of(e164: object) -> int | None:
    if not isinstance(e164, str) or not e164.startswith("+") or not e164[1:].isdigit():
        return None
    return int(e164[1:])


def blocks(numbers: Iterable[int]) -> Iterator[tuple[int, int, bytes]]:
    """In order and each once: the first number of each block, how many there are, and the block as it is kept, which is
    the same on every machine."""
    ordered = array("Q", sorted(set(numbers)))
    for start in range(0, len(ordered), BLOCK):
        part = ordered[start : start + BLOCK]
        yield part[0], len(part), _turned(part)


def joined(kept: Sequence[bytes]) -> PackedNumbers:
    """Blocks in their order."""
    whole = array("Q")
    for block in kept:
        whole.frombytes(block)
    return PackedNumbers(_turned(whole))


def _turned(numbers: array[int]) -> bytes:
    """Little-endian where it is kept, the machine's own where it is read: on nearly all the same."""
    if sys.byteorder == "big":
        numbers = array("Q", numbers)
        numbers.byteswap()
    return numbers.tobytes()
