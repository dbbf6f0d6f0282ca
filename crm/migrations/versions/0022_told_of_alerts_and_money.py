"""Webhooks are told of alerts, charges and postings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_OVER = "NEW.over_us IS NOT NULL"
TOLD = (
    ("alert.raised", "alerts", "INSERT", "NEW.id IS NOT NULL", "raised_us"),
    ("alert.over", "alerts", "INSERT", _OVER, "over_us"),
    ("alert.over", "alerts", "UPDATE OF over_us", f"{_OVER} AND OLD.over_us IS NULL", "over_us"),
    ("charge.added", "charges", "INSERT", "NEW.id IS NOT NULL", "priced_us"),
    ("ledger.posted", "ledger", "INSERT", "NEW.id IS NOT NULL", "booked_us"),
)
"""The event, and the row of which it is noted; the column has its moment."""


def upgrade() -> None:
    op.create_table(
        "alerts",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("id", "kind", "subject", "sentence")],
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("raised_us", sa.BigInteger(), nullable=False),
        sa.Column("over_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_over", "alerts", ["over_us"])
    for told in TOLD:
        op.execute(_trigger(*told))


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for type_, table, when, *_ in TOLD:
        op.execute(f"DROP TRIGGER {_name(type_, table, when)}" + (f" ON {table}" if on_postgresql else ""))
    op.drop_table("alerts")


def _name(type_: str, table: str, when: str) -> str:
    return f"webhook_{table}_{when.split()[0].lower()}_{type_.replace('.', '_')}"


def _trigger(type_: str, table: str, when: str, condition: str, at: str) -> str:
    """As those of 0016, whose function they share on PostgreSQL."""
    head = f"CREATE TRIGGER {_name(type_, table, when)} AFTER {when} ON {table} FOR EACH ROW WHEN"
    if op.get_bind().dialect.name == "postgresql":
        return f"{head} ({condition}) EXECUTE FUNCTION webhook_note('{type_}', 'id', '{at}')"
    return (
        f"{head} {condition} AND EXISTS (SELECT 1 FROM webhook_wants WHERE type = '{type_}') "
        f"BEGIN INSERT INTO webhook_events (type, object_id, at_us) VALUES ('{type_}', NEW.id, NEW.{at}); END"
    )
