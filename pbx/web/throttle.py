"""Guessing passwords is slowed down: five wrong ones, then waits that grow (TRUST 16).

Counted per account and address (a rep who mistypes blocks nobody else), per address (one machine trying many
accounts) and per account (many machines trying one). In memory and bounded: an attacker cannot fill it up. An address
that goes on is told to the engine, which keeps it out of everything for a while (:mod:`pbx.services.blocking`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pbx.web.problems import BadRequest

FREE_TRIES = 5
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
FORGET_AFTER_S = 3600.0
REMEMBERED = 20_000
_FREE_PER_ADDRESS = 30
_FREE_PER_ACCOUNT = 100


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    last_s: float = 0.0
    blocked_until_s: float = 0.0


class LoginThrottle:
    """``now`` in seconds, monotonic. ``guessing`` hears of an address that has tried too often."""

    def __init__(self, now: Callable[[], float], guessing: Callable[[str], None] = lambda address: None) -> None:
        self._now = now
        self._guessing = guessing
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Raises 429 with Retry-After while this account or address has to wait."""
        now = self._now()
        waits = [self._counts[key].blocked_until_s - now for key, _ in _keys(account, address) if key in self._counts]
        wait = max(waits, default=0.0)
        if wait > 0:
            seconds = int(wait) + 1
            problem = BadRequest(
                429, "too_many_tries", f"Too many wrong passwords. Wait {seconds} seconds, then try again.", "password"
            )
            problem.headers["Retry-After"] = str(seconds)
            raise problem

    def wrong(self, account: str, address: str) -> None:
        now = self._now()
        for key, free in _keys(account, address):
            count = self._counts.setdefault(key, _Count())
            if now - count.last_s > FORGET_AFTER_S:
                count.wrong = 0
            count.wrong += 1
            count.last_s = now
            if count.wrong >= free:
                wait = FIRST_WAIT_S * 2 ** min(count.wrong - free, 10)
                count.blocked_until_s = now + min(wait, LONGEST_WAIT_S)
                if not key[0]:
                    self._guessing(address)
            self._counts.move_to_end(key)
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)

    def right(self, account: str, address: str) -> None:
        """The right password clears the account at this address; the address's own count stays."""
        self._counts.pop(_keys(account, address)[0][0], None)


def _keys(account: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    account = account.casefold()[:320]
    return (((account, address), FREE_TRIES), (("", address), _FREE_PER_ADDRESS), ((account, ""), _FREE_PER_ACCOUNT))
