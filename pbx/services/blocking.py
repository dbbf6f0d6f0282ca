"""Who stays out: addresses that guess passwords or scan are blocked by the engine itself (TRUST 16).

What counts as a try, and whose, says :mod:`pbx.services.tries`. A block holds for SIP and for signing in, first for
ten minutes (``block.first_minutes``), each time after that twice as long up to a day (``block.longest_minutes``); it
ends by itself, is kept in the store over a restart, and is told to Asterisk again whenever there is a new one. The
engine itself, trunks and trusted networks are never blocked, whatever comes in their name.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from crm.directory import Directory
from crm.errors import Refused
from crm.records import Block
from crm.services import blocks
from crm.unit_of_work import ENGINE, Store
from pbx.services.alerts import Alerts, Kind
from pbx.services.ports import Clock
from pbx.services.tries import Tries

log = structlog.get_logger("blocking")

LOOK_EVERY_S = 1.0
READ_EVERY_US = 300_000_000
"""The name of a trunk may lead to another address by then."""
MOST = 5_000
"""Addresses blocked at once by the engine; the newest attacker takes the place of the one that ends first."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]


class Fence(Protocol):
    """Keeps addresses from speaking SIP to us; running calls of others are not touched."""

    def at_once(self, address: str) -> None:
        """This one too, before anything else is done; ``keep_out`` follows."""

    async def keep_out(self, addresses: Iterable[str]) -> None:
        """These and no others, in force when it returns. Raises ConnectionError where there is no Asterisk."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of Asterisk's security log: what happened (challenged, wrong or right), whence and for whom."""

    what: str
    address: str
    account: str


class Blocking:
    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        alerts: Alerts,
        clock: Clock,
        fence: Fence,
        resolve: Resolve,
        machines: Iterable[str] = (),
    ) -> None:
        """``machines`` are addresses of ours besides this one: others speak to Asterisk through them."""
        self._store, self._directory, self._alerts, self._clock, self._fence = store, directory, alerts, clock, fence
        self._resolve = resolve
        self.tries = Tries()
        self._held: dict[str, Block] = {}
        self._unwritten: dict[str, Block] = {}
        self._of_trunks: list[blocks.Network] = []
        self._ours = [*blocks.OURSELVES, *(ipaddress.ip_network(each) for each in machines)]
        self._never: list[blocks.Network] = self._ours
        self._judged: dict[str, bool] = {}
        self._told: frozenset[str] | None = None
        self._wake = asyncio.Event()
        self._read_us: int | None = None
        self._away: set[str] = set()

    # -- what others ask ----------------------------------------------------------------------------

    def blocked(self, address: str) -> Block | None:
        """The block that keeps this address out now."""
        parsed = _parsed(address)
        if parsed is None or not self._held:
            return None
        now = self._clock.now()
        single = self._held.get(address)
        candidates = [single] if single else [each for each in self._held.values() if "/" in each.address]
        return next((each for each in candidates if _holds(each, now) and _covers(each, parsed)), None)

    def seen(self, event: Seen) -> None:
        """Asterisk has challenged somebody, or heard a password."""
        now = self._clock.now()
        if event.what == "right":
            self.tries.right(event.address, event.account, now)
            return
        if self._harmless(event.address):
            return
        tried = self.tries.challenged if event.what == "challenged" else self.tries.wrong
        if tried(event.address, event.account, now):
            self.block(event.address, "sip", "wrong passwords or unanswered challenges")

    def guessed(self, address: str) -> None:
        """One that guesses passwords of the web; the web has counted."""
        if not self._harmless(address):
            self.block(address, "web", "guessing passwords of the console")

    def phone_is_at(self, address: str, device: str) -> None:
        """A registered phone: its address is known."""
        self.tries.knows(address, device, self._clock.now())

    def block(self, address: str, source: str, reason: str) -> None:
        """At once in memory; Asterisk and the store follow."""
        self.tries.forget(address)
        self._make_room()
        times = self._held[address].times if address in self._held else 0
        made = self._lasting(Block(address, self._clock.now(), 0, times + 1, source, reason))
        self._held[address] = self._unwritten[address] = made
        if not self._protected(address):
            self._fence.at_once(address)
        self._raise(made)
        self._wake.set()

    # -- the loop -----------------------------------------------------------------------------------

    def changed(self) -> None:
        """Settings, trunks, or what was blocked and let in by hand may be other than they were."""
        self._read_us = None
        self._wake.set()

    def asterisk_is_new(self) -> None:
        """It knows nothing of what it was told."""
        self._told = None
        self._wake.set()

    async def run(self) -> None:
        """For as long as the engine runs. What one step cannot do now is done with the next look."""
        while True:
            for step in (self._read, self._tell, self._write):
                try:
                    await step()
                except (ConnectionError, TimeoutError) as error:
                    self._is_away("Asterisk", str(error) or type(error).__name__)
                except Refused as refused:
                    self._is_away("store", refused.message)
                except Exception:
                    log.exception("blocks.broke")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                self._sweep()
            self._wake.clear()

    async def _tell(self) -> None:
        wanted = frozenset(each for each in self._held if not self._protected(each))
        if wanted != self._told:
            await self._fence.keep_out(wanted)
            self._told = wanted
            self._away.discard("Asterisk")

    async def _read(self) -> None:
        now = self._clock.now()
        if self._read_us is not None and now - self._read_us < READ_EVERY_US:
            return
        self._read_us = now
        try:
            await self._protect(self._directory())
            async with self._store.read() as session:
                self._take_in({each.address: each for each in await blocks.list_all(session, now)})
        except BaseException:
            self._read_us = None
            raise

    def _take_in(self, stored: dict[str, Block]) -> None:
        """Writing and reading take turns in one loop, so what is in the store is never older than what was written."""
        for address in set(self._held) - set(stored) - set(self._unwritten):
            self._let_in(address)
        for address, block in stored.items():
            if address not in self._held:
                self._held[address] = block
                self._raise(block)

    async def _write(self) -> None:
        waiting = dict(self._unwritten)
        if not waiting:
            return
        async with self._store.write(ENGINE) as work:
            for address, block in waiting.items():
                times = await blocks.before(work.session, address, work.at_us) + 1
                kept = block if times <= block.times else self._lasting(replace(block, times=times))
                await blocks.keep(work, kept)
                if self._held.get(address) is block:
                    self._held[address] = kept
        for address, block in waiting.items():
            if self._unwritten.get(address) is block:
                del self._unwritten[address]
        self._away.discard("store")

    def _is_away(self, who: str, why: str) -> None:
        """Said once: it is tried again every second."""
        if who not in self._away and (who != "Asterisk" or self._held):
            log.warning("blocks.not_told", to=who, why=why)
            self._away.add(who)

    def _sweep(self) -> None:
        now = self._clock.now()
        for address in self.tries.overdue(now):
            self.block(address, "sip", "wrong passwords or unanswered challenges")
        for address, block in list(self._held.items()):
            if not _holds(block, now):
                self._let_in(address)

    # -- parts --------------------------------------------------------------------------------------

    def _let_in(self, address: str) -> None:
        self._held.pop(address, None)
        self.tries.forget(address)
        self._alerts.over(Kind.ADDRESS_BLOCKED, address)

    def _lasting(self, block: Block) -> Block:
        values = self._directory().settings
        minutes = int(values["block.first_minutes"]) * 2 ** min(block.times - 1, 30)
        until = block.since_us + min(minutes, int(values["block.longest_minutes"])) * blocks.MINUTE_US
        return replace(block, until_us=until)

    def _make_room(self) -> None:
        by_itself = [each for each in self._held.values() if each.until_us is not None]
        if len(by_itself) >= MOST:
            self._let_in(min(by_itself, key=lambda each: each.until_us or 0).address)

    def _raise(self, block: Block) -> None:
        if block.source == "hand":
            return
        self._alerts.raised(
            Kind.ADDRESS_BLOCKED,
            block.address,
            f"{block.address} is blocked for {block.reason}. If it is one of yours, let it in again with "
            f"“pbx block remove {block.address}” and correct the password there.",
            until_us=block.until_us,
            source=block.source,
        )

    def _harmless(self, address: str) -> bool:
        """Never to be blocked, or blocked already; asked with every call of a phone, so what was found is kept."""
        if address in self._held:
            return True
        found = self._judged.get(address)
        if found is None:
            found = _parsed(address) is None or self._protected(address)
            if len(self._judged) < MOST:
                self._judged[address] = found
        return found

    def _protected(self, address: str) -> bool:
        return blocks.covers([*self._never, *self._of_trunks], ipaddress.ip_network(address)) is not None

    async def _protect(self, directory: Directory) -> None:
        """Names of trunks are looked up; one that cannot be, now, is as it was."""
        self.tries.free = int(directory.settings["block.tries"])
        self.tries.window_us = int(directory.settings["block.window_s"]) * 1_000_000
        self._never = [*self._ours, *blocks.never_blocked(directory.settings, directory.trunks)]
        found = [address for trunk in directory.trunks for address in await self._resolve(trunk.host)]
        if found or not any(_parsed(trunk.host) is None for trunk in directory.trunks):
            self._of_trunks = [ipaddress.ip_network(each) for each in found]
        self._judged.clear()


def _holds(block: Block, now: int) -> bool:
    return block.until_us is None or block.until_us > now


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _covers(block: Block, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address in ipaddress.ip_network(block.address)
