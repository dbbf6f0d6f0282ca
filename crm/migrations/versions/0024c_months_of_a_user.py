"""The months of one user or of a team: found without going through those of everybody."""

from __future__ import annotations

from alembic import op

revision = "0024c"
down_revision = "0024b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_calls_by_month_user", "calls_by_month", ["user_id", "month"])


def downgrade() -> None:
    op.drop_index("ix_calls_by_month_user", "calls_by_month")
