"""Who stays out: guessing, scanning and enumerating from other addresses of this machine (TRUST 15, 16).

The engine shares its loop with the attackers here; how many guesses are answered before the block is measured with the
engine in a process of its own (bench/guessing.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from bench.figures import at_most, shown
from crm.services import blocks
from pbx.services.alerts import Kind
from tests.live.stage import Scene
from tests.live.test_restarts import engine_comes_back, engine_dies
from tests.support.prober import Prober
from tests.support.sip_phone import SipPhone
from tests.support.trust import Measured
from tests.support.waiting import until

_hosts = itertools.count(2)


@pytest.fixture
def host() -> str:
    """An address of this machine from which nobody has spoken yet."""
    return f"127.77.0.{next(_hosts)}"


@contextlib.contextmanager
def attacker(scene: Scene, host: str, secret: str = "guessed") -> Iterator[Prober]:
    prober = Prober(scene.stack.server, host, secret)
    try:
        yield prober
    finally:
        prober.close()


@pytest.fixture
async def scene(scene: Scene) -> AsyncIterator[Scene]:
    """Afterwards everybody is let in again."""
    yield scene
    await scene.stack.change(blocks.remove_all)
    blocking = scene.stack.engine.blocking
    await until(lambda: not blocking._held and blocking._told == frozenset(), 3, "the blocks to be gone")


async def until_blocked(scene: Scene, host: str, within: float = 3) -> None:
    blocking = scene.stack.engine.blocking
    await until(lambda: host in (blocking._told or ()), within, f"{host} to be blocked")


@pytest.mark.trust(16)
@pytest.mark.covers("TRUST16")
async def test_who_guesses_a_password_is_heard_no_more_and_a_running_call_does_not_notice(
    scene: Scene, host: str, measured: Measured
):
    rep, there = await scene.rep(), scene.outside()
    call = await rep.phone.call(there.number)
    ring = await there.incoming()
    await ring.answer()
    await call.until_answered()
    with attacker(scene, host) as thief:
        began = last = time.monotonic()
        while (await thief.guess(rep.devices[0], 0.3)).status is not None:
            last = time.monotonic()
        await until_blocked(scene, host)
        silent = [await thief.ask("OPTIONS", rep.devices[0], 0.1) for _ in range(5)]
        right = Prober(scene.stack.server, host, rep.secrets[0])
        silent.append(await right.guess(rep.devices[0], 0.3))
        right.close()
    await asyncio.gather(call.until_hears(820), ring.until_hears(540))
    await call.hang_up()
    (alert,) = [each for each in scene.stack.engine.alerts.standing if each.kind is Kind.ADDRESS_BLOCKED]
    assert alert.subject == host and alert.since_us / 1e6 <= time.time()
    measured(at_most("live: until a guesser is silenced", last - began, "s", 2))
    heard = sum(1 for each in silent if each.status is not None)
    measured(at_most("answers to a blocked address, the right password included", heard, "answers", 0))


@pytest.mark.trust(16)
@pytest.mark.covers("TRUST16")
@pytest.mark.parametrize("what", ["scan", "unknown users"])
async def test_who_scans_without_a_password_is_blocked_too(scene: Scene, host: str, what: str, measured: Measured):
    rep = await scene.rep()
    began = time.monotonic()
    with attacker(scene, host) as scanner:
        for number in range(5):
            user = rep.devices[0] if what == "scan" else f"{100 + number}"
            assert (await scanner.ask("INVITE" if number % 2 else "OPTIONS", user)).status == 401
        await until_blocked(scene, host, 10)
        took = time.monotonic() - began
        assert (await scanner.ask("OPTIONS", "100", 0.2)).status is None
    measured(at_most(f"until five unanswered challenges ({what}) are blocked", took, "s", 8))


@pytest.mark.covers("TRUST16")
async def test_an_office_with_one_phone_that_mistypes_keeps_its_other_phones(scene: Scene, host: str):
    rep = await scene.rep(phones=0)
    good, bad = await scene.rep(phones=0), rep
    devices = [await _device(scene, each.id) for each in (good, bad)]
    phone = await SipPhone.start(devices[0][0], scene.stack.server, devices[0][1], host=host)
    with attacker(scene, host) as mistyped:
        for _ in range(30):
            assert (await mistyped.guess(devices[1][0])).status == 401
    assert (await phone.try_register()).status == 200
    assert scene.stack.engine.blocking.blocked(host) is None
    await phone.stop()


async def _device(scene: Scene, user: str) -> tuple[str, str]:
    from crm.services import devices

    made = await scene.stack.change(lambda work: devices.add(work, {"user": user, "name": "office"}))
    return made.device.id, made.secret


@pytest.mark.covers("TRUST16")
async def test_an_address_that_is_let_in_again_may_speak_at_once(scene: Scene, host: str):
    rep = await scene.rep()
    await scene.stack.change(lambda work: blocks.add(work, {"address": host}))
    await until_blocked(scene, host)
    with attacker(scene, host) as somebody:
        assert (await somebody.ask("OPTIONS", rep.devices[0], 0.2)).status is None
        await scene.stack.change(lambda work: blocks.remove(work, host))
        await until(lambda: host not in (scene.stack.engine.blocking._told or ()), 3, "the block to be gone")
        assert (await somebody.ask("OPTIONS", rep.devices[0])).status == 401


@pytest.mark.covers("TRUST16")
async def test_a_block_outlives_the_engine_and_asterisk(broken: Scene, host: str):
    rep, stack = await broken.rep(), broken.stack
    with attacker(broken, host) as thief:
        for _ in range(5):
            await thief.guess(rep.devices[0], 0.3)
        await until_blocked(broken, host)
        await until(lambda: not stack.engine.blocking._unwritten, 3, "the block to be written")
        await engine_dies(stack)
        assert (await thief.ask("OPTIONS", "100", 0.2)).status is None
        await engine_comes_back(stack)
        await until_blocked(broken, host)
        assert (await thief.ask("OPTIONS", "100", 0.2)).status is None
        await stack.asterisk.stop()
        await stack.asterisk.start()
        await until(lambda: stack.engine.link.linked.is_set(), 10, "the link to the new Asterisk")
        await until_blocked(broken, host)
        assert (await thief.ask("OPTIONS", "100", 0.2)).status is None
        assert stack.engine.alerts.standing[0].subject == host


@pytest.mark.trust(15)
@pytest.mark.covers("TRUST15")
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
async def test_users_that_there_are_cannot_be_told_from_those_that_there_are_not(
    scene: Scene, method: str, measured: Measured
):
    """From an address that is never blocked, so that enough answers can be compared; in turns, as the machine is."""
    rep = await scene.rep()
    real, invented = rep.devices[0], "d" + "x" * (len(rep.devices[0]) - 1)
    times: dict[str, list[float]] = {real: [], invented: []}
    statuses: dict[str, set[object]] = {real: set(), invented: set()}
    with attacker(scene, "127.0.0.1") as scanner:
        for turn in range(300):
            for user in (real, invented) if turn % 2 else (invented, real):
                first = await scanner.ask(method, user)
                times[user].append(first.ms)
                statuses[user].add((first.status, _shape(first.message)))
        for user in (real, invented):
            answer = await scanner.guess(user, method=method)
            statuses[user].add(("guess", answer.status, _shape(answer.message)))
    assert statuses[real] == statuses[invented]
    told = 1 if _can_be_told_apart(times[real], times[invented]) else 0
    measured(shown(f"{method}: difference of the medians of real and invented users", _apart(times, real), "ms"))
    measured(at_most(f"{method}: users found among {2 * 300} answers", told, "users", 0))


def _shape(message: object) -> tuple[str, ...]:
    """The names of the headers, in order: what else differs is random."""
    return tuple(name for name, _ in message.headers) if message is not None else ()  # type: ignore[attr-defined]


def _apart(times: dict[str, list[float]], real: str) -> float:
    (other,) = set(times) - {real}
    return abs(statistics.median(times[real]) - statistics.median(times[other]))


def _can_be_told_apart(one: list[float], two: list[float]) -> bool:
    """Whether a scanner that knows both distributions would be right more often than in 60 of 100 (area under ROC)."""
    wins = sum((a > b) + (a == b) / 2 for a in one for b in two) / (len(one) * len(two))
    return max(wins, 1 - wins) > 0.6
