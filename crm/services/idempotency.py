"""Idempotency keys: the same request sent twice does one thing and gets one answer (TRUST 10).

The first to claim a key mints the id of what it makes and stores it with the claim, in one transaction before anything
is dialled; whoever comes later with the same key gets that id, and the answer once there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm import fields
from crm.errors import Refused, conflict
from crm.models.users import IdempotencyKey as Row
from crm.repositories import accounts
from crm.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Claim:
    """``new``: the request is ours to carry out. ``status`` and ``response`` stand once it has been answered."""

    new: bool
    object_id: str
    status: int | None
    response: str | None


async def claim(work: UnitOfWork, owner: str, key: str, request_hash: str, object_id: str) -> Claim:
    """Claim ``key`` for ``owner`` (a user's or token's id). ``object_id`` is used only if the claim is new.

    Of any number at once exactly one is new: the database's key decides. Raises Refused where the key was used for
    another request.
    """
    fields.one("Idempotency-Key", key, fields.text(128))
    row = Row(
        owner=owner,
        key=key,
        request_hash=request_hash,
        object_id=object_id,
        created_us=work.at_us,
    )
    if await accounts.claim_idempotency_key(work.session, row):
        return Claim(True, object_id, None, None)
    kept = await _kept(work, owner, key)
    if kept.request_hash != request_hash:
        raise Refused(
            "idempotency_key_reused",
            "This idempotency key was used for another request. Make a new key for each new request.",
            "Idempotency-Key",
        )
    return Claim(False, kept.object_id, kept.status, kept.response)


async def settle(work: UnitOfWork, owner: str, key: str, status: int, response: str) -> None:
    """Keep the answer for whoever repeats the request."""
    row = await _kept(work, owner, key)
    row.status, row.response = status, response


async def purge(work: UnitOfWork, older_than_us: int) -> int:
    """Forget the keys from before that time; gives how many there were."""
    return await accounts.delete_idempotency_keys(work.session, older_than_us)


async def _kept(work: UnitOfWork, owner: str, key: str) -> Row:
    row = await work.session.get(Row, (owner, key))
    if row is None:
        raise conflict("idempotency_key_gone", "This idempotency key has just expired. Make a new one.")
    return row
