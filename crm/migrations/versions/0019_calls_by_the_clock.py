"""Sums of calls by the hour of the day and of the week, per month: a year of a team by hour is a thousandth of its
calls. All sums are made anew from the log, behind the calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_AMOUNTS = ("calls", "answered", "missed", "talk_ms", "ring_ms")
_KEYS = {
    "calls_by_hour_of_day": ("user_id", "month", "hour_of_day", "direction", "outcome_id"),
    "calls_by_hour_of_week": ("user_id", "month", "hour_of_week", "direction"),
}


def upgrade() -> None:
    for table, keys in _KEYS.items():
        op.create_table(
            table,
            *(_text(key) if key in ("user_id", "direction", "outcome_id") else _number(key) for key in keys),
            *map(_number, _AMOUNTS),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
    op.execute("DELETE FROM sums_state")


def downgrade() -> None:
    for table in _KEYS:
        op.drop_table(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False)
