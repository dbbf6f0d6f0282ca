"""Every table. Importing this package registers them all."""

from crm.models import (
    blocks,
    call_lists,
    calls,
    digests,
    filters,
    law,
    money,
    organisation,
    people,
    reports,
    scripts,
    search,
    telephony,
    texts,
    users,
    webhooks,
    wrapup,
)
from crm.models.base import Base

__all__ = [
    "Base",
    "blocks",
    "call_lists",
    "calls",
    "digests",
    "filters",
    "law",
    "money",
    "organisation",
    "people",
    "reports",
    "scripts",
    "search",
    "telephony",
    "texts",
    "users",
    "webhooks",
    "wrapup",
]
