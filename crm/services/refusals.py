"""What a customer said on the telephone that they want no more of, by the outcome that the user chose (T7, L4, S2)."""

from __future__ import annotations

from crm.models.wrapup import Outcome
from crm.services import do_not_call, opt_outs
from crm.unit_of_work import UnitOfWork


async def by_outcome(work: UnitOfWork, outcome_id: str | None, number: str | None) -> None:
    """To be called with what was chosen in the same transaction; chosen again, it changes nothing."""
    outcome = await work.session.get(Outcome, outcome_id) if outcome_id else None
    if outcome is None or not number:
        return
    if outcome.do_not_text:
        await opt_outs.add(work, {"number": number, "source": "disposition", "detail": outcome.name})
    if outcome.do_not_call and not await do_not_call.contains(work.session, number):
        await do_not_call.add(work, {"number": number, "source": "disposition", "reason": outcome.name})
