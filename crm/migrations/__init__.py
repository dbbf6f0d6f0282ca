"""Bring a database to the newest schema: ``await migrate(url)`` (or ``migrate_now`` where no loop runs).

Idempotent. All steps run in one transaction, so that a failure leaves the schema as it was, and under a lock, so that
of two processes that start together the second waits and finds nothing left to do.
"""

from crm.migrations.runner import head, migrate, migrate_now

__all__ = ["head", "migrate", "migrate_now"]
