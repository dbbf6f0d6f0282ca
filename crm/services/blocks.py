"""Addresses that are kept out: made by the engine when somebody guesses, or by hand; kept over a restart.

What is blocked by itself does not move the revision of the configuration: the engine that made it knows it, and an
attack from many addresses must not have it read everything again for each.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm import fields
from crm.errors import Refused, conflict, not_found, printable
from crm.models.blocks import Block as Row
from crm.records import Block, Trunk, as_dict
from crm.repositories import blocks as rows
from crm.repositories import telephony
from crm.services import settings
from crm.unit_of_work import UnitOfWork

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MINUTE_US = 60_000_000
REMEMBERED_US = 7 * 24 * 60 * MINUTE_US
"""How long an ended block counts when the same address is blocked again."""
MOST_LISTED = 5_000
LOWEST_PREFIX = {4: 8, 6: 16}
"""A wider network would be a slip of the finger."""
OURSELVES = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1"))
"""Where the engine speaks to its Asterisk from, and with it the phone of every browser."""


def network(value: Any) -> str:
    """An address, or a network that is not half of the world, in the one way of writing it."""
    kept = fields.network(value)
    if fields.has_port(str(kept)):
        raise Refused("invalid", "A block has no port. Give the address alone.")
    found = ipaddress.ip_network(kept)
    if found.prefixlen < LOWEST_PREFIX[found.version]:
        raise Refused("invalid", f"{kept} is too wide a network to block. Give a smaller one.")
    return _name(found)


_CHECKS: dict[str, fields.Check] = {
    "address": network,
    "reason": fields.text(200, empty=True),
    "minutes": fields.optional(fields.integer(1, 10**6)),
}


def never_blocked(values: Mapping[str, Any], trunks: Iterable[Trunk]) -> list[Network]:
    """The engine's own address, trusted networks, and where trunks are as far as it is written as an address."""
    found = [*OURSELVES, *(ipaddress.ip_network(each) for each in values["block.trusted_networks"])]
    for trunk in trunks:
        for each in (trunk.host, *trunk.match_addresses):
            parsed = _parsed(each.rpartition(":")[0] if each.count(":") == 1 else each)
            found += [parsed] if parsed is not None else []
    return found


def covers(networks: Iterable[Network], address: Network) -> Network | None:
    """The network that has something in common with this address or network."""
    return next((each for each in networks if each.version == address.version and each.overlaps(address)), None)


async def list_all(session: AsyncSession, now_us: int) -> list[Block]:
    """Those that hold now, the newest first."""
    return await rows.standing(session, now_us, MOST_LISTED)


async def add(work: UnitOfWork, values: Mapping[str, Any]) -> Block:
    """By hand: ``address`` is needed; without ``minutes`` it holds until it is taken away."""
    given = fields.read(values, _CHECKS, ("address",))
    await _check(work.session, given["address"])
    row = await work.session.get(Row, given["address"])
    if row is not None and (row.until_us is None or row.until_us > work.at_us):
        raise conflict("already_blocked", f"{given['address']} is blocked already. Remove that block first.", "address")
    until = work.at_us + given["minutes"] * MINUTE_US if given.get("minutes") else None
    times = row.times + 1 if row is not None else 1
    made = Block(given["address"], work.at_us, until, times, "hand", given.get("reason", ""))
    await keep(work, made, by_hand=True)
    return made


async def keep(work: UnitOfWork, block: Block, *, by_hand: bool = False) -> None:
    """Write a block down as it is, over what stood there for its address."""
    await work.session.merge(Row(**as_dict(block)))
    await rows.forget_ended(work.session, work.at_us - REMEMBERED_US, block.address)
    await work.flush()
    work.record("block.add", block.address, None, as_dict(block), touches_calls=by_hand)


async def remove(work: UnitOfWork, address: str) -> Block:
    """Let it in again; the next block begins as if it had been the first."""
    row = await work.session.get(Row, _written(address))
    if row is None:
        raise not_found("block of", address)
    gone = rows.record(row)
    await work.session.delete(row)
    await work.flush()
    work.record("block.remove", gone.address, as_dict(gone), None)
    return gone


async def remove_all(work: UnitOfWork) -> int:
    """Let everybody in again; how many blocks that were."""
    standing = await rows.standing(work.session, work.at_us)
    for block in standing:
        await remove(work, block.address)
    return len(standing)


async def before(session: AsyncSession, address: str, now_us: int) -> int:
    """How often the address was blocked lately."""
    row = await session.get(Row, address)
    if row is None or (row.until_us is not None and row.until_us < now_us - REMEMBERED_US):
        return 0
    return row.times


async def _check(session: AsyncSession, address: str) -> None:
    values = await settings.values(session)
    hit = covers(never_blocked(values, await telephony.trunks(session)), ipaddress.ip_network(address))
    if hit is not None:
        raise Refused(
            "never_blocked",
            f"{hit} is this machine, a trunk or a trusted network (block.trusted_networks) and is never blocked. "
            "Take it out there first, or block another address.",
            "address",
        )


def _written(address: str) -> str:
    """As it is kept; what is no address at all names no block."""
    found = _parsed(address)
    return _name(found) if found is not None else printable(address)


def _name(found: Network) -> str:
    return str(found.network_address if found.num_addresses == 1 else found)


def _parsed(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
