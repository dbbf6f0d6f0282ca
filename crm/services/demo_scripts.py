"""The demo organisation's scripts: one for calls out, one for calls in."""

from __future__ import annotations

from crm.models.scripts import Script
from crm.repositories import named
from crm.services import scripts
from crm.unit_of_work import UnitOfWork

_OUTBOUND = """# First call

Hello, this is **{{user.name}}**. Am I speaking with **{{contact.name}}**?

## Ask
- How does {{contact.company}} take calls today?
- How many people are on the phone, and from where?
- What happens to a call that nobody answers?

## Agree
- The next step for **{{deal.name}}**, with a date
- Whom to call at {{number}}, and when
"""
_INBOUND = """# Incoming call

Thank you for calling, my name is **{{user.name}}**. How may I help you?

- Repeat the request in your own words
- Ask whether {{number}} is the best number to call back
- Say what happens next, and when
"""
_SCRIPTS = (("First call", "outbound", _OUTBOUND), ("Incoming call", "inbound", _INBOUND))


async def seed_scripts(work: UnitOfWork) -> None:
    """Add what is missing, known by name."""
    for name, direction, body in _SCRIPTS:
        if await named.find(work.session, Script, name) is None:
            await scripts.add(work, {"name": name, "direction": direction, "body": body})
