"""Every table. Importing this package registers them all."""

from crm.models import calls, organisation, people, search, telephony, users
from crm.models.base import Base

__all__ = ["Base", "calls", "organisation", "people", "search", "telephony", "users"]
