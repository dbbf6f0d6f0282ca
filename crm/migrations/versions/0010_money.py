"""Rates, charges and the ledger. What ended before is not charged for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TO_PRICE = sa.text("ended_us IS NOT NULL AND priced_us IS NULL AND (trunk_id IS NOT NULL OR role = 'guest')")
_KEPT = ("charges", "ledger")


def upgrade() -> None:
    _rates()
    _charges()
    _ledger()
    op.add_column("legs", sa.Column("priced_us", sa.BigInteger(), nullable=True))
    op.execute("UPDATE legs SET priced_us = 0 WHERE ended_us IS NOT NULL")
    op.create_index("ix_legs_to_price", "legs", ["ended_us", "id"], sqlite_where=_TO_PRICE, postgresql_where=_TO_PRICE)
    for table in _KEPT:
        _never_changed(table)


def downgrade() -> None:
    op.drop_index("ix_legs_to_price", "legs")
    op.drop_column("legs", "priced_us")
    for table in (*_KEPT, "rates", "rate_tables"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION never_changed()")


def _never_changed(table: str) -> None:
    """Rows of this table are added and nothing else, whoever asks."""
    sentence = f"{table}: what is booked is never changed. Book the difference."
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION never_changed() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '%: what is booked is never changed. Book the difference.', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_never_changed BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION never_changed()"
    )


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _rates() -> None:
    op.create_table(
        "rate_tables",
        *_texts("id", "name", "direction"),
        *_texts("trunk_id", nullable=True),
        *_texts("currency"),
        *_numbers("valid_from_us"),
        *_numbers("valid_until_us", nullable=True),
        *_numbers("prefixes"),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_numbers("created_us", "updated_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_tables")),
        sa.UniqueConstraint("name", name=op.f("uq_rate_tables_name")),
        sa.CheckConstraint(
            "direction IN ('outbound', 'inbound', 'internal', 'text')", name=op.f("ck_rate_tables_direction")
        ),
    )
    op.create_table(
        "rates",
        *_texts("table_id", "prefix", "name"),
        *_numbers("price_micros", "setup_micros", "first_s", "then_s"),
        sa.PrimaryKeyConstraint("table_id", "prefix", name=op.f("pk_rates")),
        sa.ForeignKeyConstraint(
            ["table_id"], ["rate_tables.id"], name=op.f("fk_rates_table_id_rate_tables"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )


def _charges() -> None:
    op.create_table(
        "charges",
        *_texts("id", "kind"),
        *_texts("call_id", "user_id", nullable=True),
        *_texts("direction", "role"),
        *_texts("number", "trunk_id", nullable=True),
        *_numbers("began_us", "ended_us", "units"),
        *_texts("table_id", nullable=True),
        *_texts("prefix", "rate_name"),
        *_numbers("price_micros", "setup_micros", "first_s", "then_s", "amount_micros"),
        *_texts("currency"),
        *_numbers("priced_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
        sa.CheckConstraint("amount_micros >= 0", name=op.f("ck_charges_amount")),
    )
    op.create_index("ix_charges_time", "charges", ["ended_us", "id"])
    op.create_index("ix_charges_user", "charges", ["user_id", "ended_us", "id"])
    op.create_index("ix_charges_call", "charges", ["call_id"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        *_texts("id", "kind", "debit", "credit"),
        *_numbers("amount_micros", "balance_micros"),
        *_texts("currency", "memo", "actor"),
        *_numbers("at_us", "booked_us"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("id", name=op.f("uq_ledger_id")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_amount")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_accounts")),
    )
    op.create_index("ix_ledger_time", "ledger", ["at_us", "seq"])
