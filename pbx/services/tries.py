"""Wrong tries to get in, and from when on they are an attack (TRUST 16).

A try is a wrong password, a user that there is not, or a challenge that nobody answers: who only scans never says a
password. The rule, per source address:

- A stranger has five tries (``block.tries``) within ten minutes (``block.window_s``).
- A **known** address, from which a phone of ours has logged in during the last day, is an office: one phone that
  mistypes for days must not cut off the others. Its tries count by account: it is blocked for wrong passwords of more
  accounts than a stranger has tries, besides those that have logged in from there (their secrets may have been renewed
  all at once), or for more than a hundred wrong ones within a minute, as no phone mistypes. An unanswered challenge is
  no try there: many phones ask OPTIONS and care for no answer.
- Whoever leaves two hundred challenges open within five seconds is a flood, known or not.

A right password takes away what its account had wrong at that address, and makes the address known. A try from a
forged address cannot be a wrong password, as Asterisk's nonce is bound to the address: it can be an unanswered
challenge only, so nobody can have a known address blocked from elsewhere but by flooding in its name.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

ANSWER_WITHIN_US = 5_000_000
KNOWN_FOR_US = 24 * 3_600_000_000
MINUTE_US = 60_000_000
MOST_WRONG_A_MINUTE = 100
FLOOD = 200
MOST_PHONES = 500
REMEMBERED = 5_000
"""Addresses; an attacker cannot fill the memory."""

At = tuple[int, str]


@dataclass(slots=True)
class _Source:
    wrong: deque[At] = field(default_factory=lambda: deque(maxlen=4 * FLOOD))
    unanswered: deque[At] = field(default_factory=lambda: deque(maxlen=4 * FLOOD))
    open: deque[At] = field(default_factory=lambda: deque(maxlen=4 * FLOOD))


class Tries:
    """Counts in memory. Times are microseconds; every answer is whether the address is to be blocked now."""

    def __init__(self) -> None:
        self.free = 5
        self.window_us = 600_000_000
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._known: OrderedDict[str, dict[str, int]] = OrderedDict()

    def challenged(self, address: str, account: str, now: int) -> bool:
        """Asked for a password: a try if no answer comes."""
        source = self._source(address)
        source.open.append((now, account))
        return len(source.open) >= FLOOD and source.open[-FLOOD][0] > now - ANSWER_WITHIN_US

    def wrong(self, address: str, account: str, now: int) -> bool:
        """The password was wrong, or there is no such user."""
        source = self._source(address)
        _drop_one(source.open, account)
        source.wrong.append((now, account))
        return self._too_many(address, source, now)

    def right(self, address: str, account: str, now: int) -> None:
        self.knows(address, account, now)
        source = self._sources.get(address)
        if source is not None:
            for tries in (source.wrong, source.unanswered, source.open):
                _drop_all(tries, account)
            self._forget_empty(address, source)

    def knows(self, address: str, account: str, now: int) -> None:
        """This phone of ours is there."""
        there = self._known.setdefault(address, {})
        there[account] = now + KNOWN_FOR_US
        if len(there) > MOST_PHONES:
            del there[min(there, key=lambda each: there[each])]
        self._known.move_to_end(address)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def known(self, address: str, now: int) -> frozenset[str]:
        """The phones of ours that have logged in from there lately."""
        there = self._known.get(address, {})
        return frozenset(account for account, until in there.items() if until > now)

    def overdue(self, now: int) -> list[str]:
        """Take in which challenges stayed without an answer; the addresses that are to be blocked for it."""
        found = []
        for address, source in list(self._sources.items()):
            while source.open and source.open[0][0] <= now - ANSWER_WITHIN_US:
                source.unanswered.append(source.open.popleft())
            if self._too_many(address, source, now):
                found.append(address)
            else:
                self._forget_empty(address, source)
        return found

    def forget(self, address: str) -> None:
        """It is blocked, or let in again: it begins anew."""
        self._sources.pop(address, None)

    def _too_many(self, address: str, source: _Source, now: int) -> bool:
        for tries in (source.wrong, source.unanswered):
            while tries and tries[0][0] <= now - self.window_us:
                tries.popleft()
        phones = self.known(address, now)
        if not phones:
            return len(source.wrong) + len(source.unanswered) >= self.free
        accounts = {account for _, account in source.wrong} - phones
        lately = sum(1 for at, _ in source.wrong if at > now - MINUTE_US)
        return len(accounts) > self.free or lately > MOST_WRONG_A_MINUTE

    def _source(self, address: str) -> _Source:
        source = self._sources.setdefault(address, _Source())
        self._sources.move_to_end(address)
        while len(self._sources) > REMEMBERED:
            self._sources.popitem(last=False)
        return source

    def _forget_empty(self, address: str, source: _Source) -> None:
        if not (source.wrong or source.unanswered or source.open):
            self._sources.pop(address, None)


def _drop_one(tries: deque[At], account: str) -> None:
    for entry in tries:
        if entry[1] == account:
            tries.remove(entry)
            return


def _drop_all(tries: deque[At], account: str) -> None:
    kept = [entry for entry in tries if entry[1] != account]
    tries.clear()
    tries.extend(kept)
