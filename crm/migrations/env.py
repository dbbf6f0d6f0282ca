"""What Alembic runs: the migrations, over the connection that the runner opened and will commit."""

from __future__ import annotations

from alembic import context

from crm.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()
