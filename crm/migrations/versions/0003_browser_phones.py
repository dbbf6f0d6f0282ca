"""Phones of browsers belong to a login; those that an admin had made could never be used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_phones",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("ha1", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_browser_phones_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser_phones")),
        sa.UniqueConstraint("session_id", name=op.f("uq_browser_phones_session_id")),
    )
    op.add_column(
        "config_revision", sa.Column("browsers_revision", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.execute("DELETE FROM devices WHERE kind = 'webrtc'")
    op.execute("UPDATE config_revision SET revision = revision + 1 WHERE EXISTS (SELECT 1 FROM users)")


def downgrade() -> None:
    op.drop_column("config_revision", "browsers_revision")
    op.drop_table("browser_phones")
