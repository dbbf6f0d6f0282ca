"""What brands have sent on a day of the carrier's clock: counted for all engines together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024b"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "text_brand_days",
        sa.Column("brand_id", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "since_us", name=op.f("pk_text_brand_days")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("text_brand_days")
