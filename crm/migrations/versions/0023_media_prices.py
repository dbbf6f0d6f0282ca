"""What a text with pictures or files costs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rates", sa.Column("media_micros", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("rates", "media_micros")
