"""Texts of the demo organisation: its trunk carries them, and its US numbers belong to an approved campaign (T8)."""

from __future__ import annotations

from typing import Any

from crm.records import Trunk
from crm.services import numbers, text_brands, text_campaigns, text_transports
from crm.unit_of_work import UnitOfWork

BRAND: dict[str, Any] = {
    "entityType": "PRIVATE_PROFIT",
    "displayName": "Marcom",
    "companyName": "Marcom Inc.",
    "ein": "00-0000000",
    "einIssuingCountry": "US",
    "street": "1 Practice Road",
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94105",
    "country": "US",
    "email": "texts@marcom.example",
    "phone": "+14155550101",
    "vertical": "PROFESSIONAL",
}
CAMPAIGN: dict[str, Any] = {
    "description": "Answers to customers who ask for an offer, and reminders of appointments.",
    "messageFlow": "Customers give their number on the web page and agree to texts there.",
    "sample1": "Hello, this is Marcom. Your appointment is tomorrow at 10. Reply STOP to end.",
    "optinMessage": "You will get texts from Marcom. Reply STOP to end.",
    "optoutMessage": "You will get no more texts from Marcom.",
    "helpMessage": "This is Marcom. Call +1 415 555 0101 for help.",
}


async def seed_texts(work: UnitOfWork, trunk: Trunk) -> None:
    """Once: whoever takes a part of it away does not get it again while another part stands."""
    if await text_transports.list_all(work.session) or await text_brands.list_all(work.session):
        return
    await text_transports.add(
        work, {"name": trunk.name, "kind": "sip_message", "options": {"trunk": trunk.id}, "enabled": True}
    )
    brand = await text_brands.add(work, {"name": "Marcom", "details": BRAND, "state": "verified"})
    ours = [number.e164 for number in await numbers.list_all(work.session) if number.country == "US"]
    await text_campaigns.add(
        work,
        {
            "name": "Customer care",
            "brand": brand.id,
            "use_case": "CUSTOMER_CARE",
            "message_class": "A",
            "details": CAMPAIGN,
            "state": "approved",
            "numbers": ours,
        },
    )
