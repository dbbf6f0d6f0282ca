"""How fast campaigns and numbers may send: kept for all engines that share the database together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "text_paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_text_paces")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("text_paces")
