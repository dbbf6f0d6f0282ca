"""Sums of charges and of the ledger by month, so that a bill does not go through all of them. All sums are made anew,
behind the calls; until then bills are reckoned from the charges themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AMOUNTS = {"charges": ("charges", "units", "amount_micros"), "postings": ("in_micros", "out_micros")}
_KEYS = {"charges": ("user_id", "rate_name", "direction", "kind"), "postings": ("kind",)}
_LOGS = {"charges": "charges", "postings": "ledger"}
_ADDED = {
    "charges": """INSERT INTO charges_to_sum (at_us, user_id, rate_name, direction, kind, charges, units, amount_micros)
VALUES (NEW.ended_us, COALESCE(NEW.user_id, ''), NEW.rate_name, NEW.direction, NEW.kind, 1, NEW.units,
    NEW.amount_micros);""",
    "postings": """INSERT INTO postings_to_sum (at_us, kind, in_micros, out_micros)
VALUES (NEW.at_us, NEW.kind, CASE WHEN NEW.debit = 'balance' THEN NEW.amount_micros ELSE 0 END,
    CASE WHEN NEW.debit = 'balance' THEN 0 ELSE NEW.amount_micros END);""",
}
"""Rows of both logs are never changed and never removed: there is no other trigger."""


def upgrade() -> None:
    for name, keys in _KEYS.items():
        op.create_table(
            f"{name}_to_sum",
            sa.Column("seq", _SEQ, sa.Identity(), nullable=False),
            _number("at_us"),
            *map(_text, keys),
            *map(_number, _AMOUNTS[name]),
            sa.PrimaryKeyConstraint("seq", name=op.f(f"pk_{name}_to_sum")),
        )
        op.create_table(
            f"{name}_by_month",
            _number("month"),
            *map(_text, keys),
            *map(_number, _AMOUNTS[name]),
            sa.PrimaryKeyConstraint("month", *keys, name=op.f(f"pk_{name}_by_month")),
            sqlite_with_rowid=False,
        )
        _trigger(_LOGS[name], _ADDED[name])
    op.execute("DELETE FROM sums_state")


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, log in _LOGS.items():
        trigger = f"{log}_summed_insert"
        op.execute(f"DROP TRIGGER {trigger}" + (f" ON {log}" if on_postgresql else ""))
        if on_postgresql:
            op.execute(f"DROP FUNCTION {trigger}()")
        op.drop_table(f"{name}_by_month")
        op.drop_table(f"{name}_to_sum")


def _trigger(log: str, statement: str) -> None:
    name = f"{log}_summed_insert"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} AFTER INSERT ON {log} BEGIN {statement} END")
        return
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement} RETURN NULL; END $$")
    op.execute(f"CREATE TRIGGER {name} AFTER INSERT ON {log} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False)
