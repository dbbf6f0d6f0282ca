"""The law's rules as changed, legal holds, erasures, and what retention destroyed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_STANDING = sa.text("released_us IS NULL")


def upgrade() -> None:
    op.create_table(
        "law_rules",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        *_texts("basis", "source", "date", "text", "reason", "changed_by"),
        *_numbers("changed_us"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_law_rules")),
    )
    op.create_table(
        "legal_holds",
        *_texts("id", "kind", "object_id", "reason", "placed_by"),
        *_numbers("created_us"),
        sa.Column("released_us", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(
        "ix_legal_holds_standing",
        "legal_holds",
        ["kind", "object_id"],
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_index("ix_legal_holds_created", "legal_holds", ["created_us", "id"])
    op.create_table(
        "erasures",
        *_texts("id", "record_id", "reference", "reason", "state", "requested_by"),
        *_numbers("created_us"),
        sa.Column("done_us", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_created", "erasures", ["created_us", "id"])
    op.create_table(
        "destructions",
        *_texts("id", "kind"),
        *_numbers("at_us", "before_us", "destroyed", "files", "bytes", "held"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destructions")),
    )
    op.create_index("ix_destructions_at", "destructions", ["at_us", "id"])


def downgrade() -> None:
    for table in ("destructions", "erasures", "legal_holds", "law_rules"):
        op.drop_table(table)


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)


def _numbers(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.BigInteger(), nullable=False) for name in names)
