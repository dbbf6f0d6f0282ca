"""Recordings with a track for each party, and with private parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("tracks", sa.JSON(), nullable=True))
    op.add_column("recordings", sa.Column("private", sa.JSON(), nullable=True))
    op.add_column("recordings", sa.Column("tracks_path", sa.Text(), nullable=True))
    op.add_column("recordings", sa.Column("public_path", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("public_path", "tracks_path", "private", "tracks"):
        op.drop_column("recordings", name)
