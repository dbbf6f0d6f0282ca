"""Outcomes, summaries of calls, tasks.

Calls that have ended by now get no summaries: nobody wants drafts of last year.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("done_us IS NULL")
_TO_REMIND = sa.text("done_us IS NULL AND reminded_us IS NULL AND remind_us IS NOT NULL")
_DRAFT = sa.text("state = 'draft'")
_TO_SUMMARISE = sa.text("ended_us IS NOT NULL AND summarised_us IS NULL")


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
        sa.UniqueConstraint("name", name=op.f("uq_outcomes_name")),
        sa.UniqueConstraint("key", name=op.f("uq_outcomes_key")),
    )
    _summaries()
    _tasks()
    op.add_column("calls", sa.Column("summarised_us", sa.BigInteger(), nullable=True))
    op.execute("UPDATE calls SET summarised_us = ended_us WHERE ended_us IS NOT NULL")
    _index("ix_calls_to_summarise", "calls", ["ended_us", "id"], _TO_SUMMARISE)


def downgrade() -> None:
    op.drop_index("ix_calls_to_summarise", table_name="calls")
    op.drop_column("calls", "summarised_us")
    for table in ("tasks", "call_summaries", "outcomes"):
        op.drop_table(table)


def _summaries() -> None:
    op.create_table(
        "call_summaries",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("outcome_id", "outcome_name", "outcome_colour")),
        sa.Column("notes", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("deal_id", "record_type", "record_id")),
        sa.Column("call_created_us", sa.BigInteger(), nullable=False),
        sa.Column("call_ended_us", sa.BigInteger(), nullable=True),
        sa.Column("saved_us", sa.BigInteger(), nullable=True),
        *_times(),
        sa.CheckConstraint("state IN ('draft', 'saved')", name=op.f("ck_call_summaries_state")),
        sa.PrimaryKeyConstraint("call_id", "user_id", name=op.f("pk_call_summaries")),
    )
    op.create_index("ix_call_summaries_user", "call_summaries", ["user_id", "created_us", "call_id"])
    _index("ix_call_summaries_drafts", "call_summaries", ["user_id", "created_us", "call_id"], _DRAFT)
    op.create_index("ix_call_summaries_outcome", "call_summaries", ["outcome_id", "call_created_us", "call_id"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("remind_us", sa.BigInteger(), nullable=True),
        sa.Column("reminded_us", sa.BigInteger(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("done_us", sa.BigInteger(), nullable=True),
        *_times(),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_tasks_record_id_records"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("fk_tasks_deal_id_deals"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    _index("ix_tasks_open", "tasks", ["user_id", "due_us", "id"], _OPEN)
    op.create_index("ix_tasks_done", "tasks", ["user_id", "done_us", "id"])
    _index("ix_tasks_due", "tasks", ["due_us", "id"], _OPEN)
    op.create_index("ix_tasks_record", "tasks", ["record_id", "due_us", "id"])
    _index("ix_tasks_remind", "tasks", ["remind_us", "id"], _TO_REMIND)
    op.create_index(op.f("ix_tasks_deal_id"), "tasks", ["deal_id"])
    op.create_index(op.f("ix_tasks_call_id"), "tasks", ["call_id"])


def _times() -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_us", "updated_us"))


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
