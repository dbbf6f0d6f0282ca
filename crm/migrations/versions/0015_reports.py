"""Sums for reports, and the triggers that say what is to be added to them.

What is there already is added up behind the calls, in small steps, by the engine or by “pbx report rebuild”.

On PostgreSQL a summary's trigger takes the call's row FOR SHARE: of one who counts a call and one who gives it an
outcome at the same moment, the later sees what the earlier did.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OF_CALLS = ("calls", "answered", "missed", "talk_ms", "ring_ms")
_OF_TEXTS = ("sent", "received", "delivered", "failed", "segments", "cost_micros")
_OF_LISTED = ("calls", "reached", "talk_ms")
_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = (
    *("listed_calls_by_day", "listed_calls_to_sum", "texts_by_day", "texts_to_sum"),
    *("calls_by_month", "calls_by_day", "calls_by_hour", "calls_to_sum", "sums_state"),
)

_INDEXES = (
    ("ix_call_summaries_topic", "call_summaries"),
    ("ix_deals_closes", "deals"),
    ("ix_deals_created", "deals"),
)
_TOPIC = sa.text("deal_id IS NOT NULL")
_OUTCOME = "COALESCE((SELECT outcome_id FROM call_summaries WHERE call_id = {0}.id AND user_id = {0}.user_id), '')"
_CALL = """INSERT INTO calls_to_sum
    (at_us, user_id, direction, outcome_id, calls, answered, missed, talk_ms, ring_ms)
SELECT {0}.created_us, COALESCE({0}.user_id, ''), {0}.direction, {outcome}, {sign}1,
    {sign}CASE WHEN {0}.answered_us IS NULL THEN 0 ELSE 1 END,
    {sign}CASE WHEN {0}.direction = 'inbound' AND {0}.answered_us IS NULL
        AND COALESCE({0}.disposition, '') <> 'refused' THEN 1 ELSE 0 END,
    {sign}COALESCE({0}.talk_ms, 0), {sign}COALESCE({0}.ring_ms, 0)
"""
_TEXT = """INSERT INTO texts_to_sum
    (at_us, user_id, currency, sent, received, delivered, failed, segments, cost_micros)
SELECT {0}.created_us, COALESCE({0}.user_id, ''), COALESCE({0}.currency, ''),
    {sign}{left_us}, {sign}CASE WHEN {0}.direction = 'in' THEN 1 ELSE 0 END,
    {sign}CASE WHEN {0}.state = 'delivered' THEN 1 ELSE 0 END, {sign}CASE WHEN {0}.state = 'failed' THEN 1 ELSE 0 END,
    {sign}{left_us} * {0}.segments, {sign}{left_us} * COALESCE({0}.price_micros, 0)
"""
_LEFT_US = (
    "CASE WHEN {0}.direction = 'out' AND ({0}.state IN ('sent', 'delivered', 'unknown') "
    "OR ({0}.state = 'failed' AND {0}.sent_us IS NOT NULL)) THEN 1 ELSE 0 END"
)
_LISTED = """INSERT INTO listed_calls_to_sum (at_us, list_id, user_id, result, calls, reached, talk_ms)
SELECT {0}.at_us, {0}.list_id, {0}.user_id, COALESCE({0}.result, 'running'), {sign}1,
    {sign}CASE WHEN {0}.talk_ms > 0 THEN 1 ELSE 0 END, {sign}COALESCE({0}.talk_ms, 0)
"""
_CALL_COUNTS = "{0}.summarised_us IS NOT NULL"
_TEXT_COUNTS = "({0}.direction = 'in' OR {0}.state IN ('sent', 'delivered', 'unknown', 'failed'))"
_CALL_COLUMNS = (
    *("summarised_us", "created_us", "user_id", "direction", "answered_us", "disposition", "talk_ms", "ring_ms"),
)
_TEXT_COLUMNS = (*("created_us", "user_id", "direction", "currency", "state", "sent_us", "segments", "price_micros"),)
_LISTED_COLUMNS = ("at_us", "list_id", "user_id", "result", "talk_ms")


def upgrade() -> None:
    op.create_table(
        "sums_state",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        *_texts("time_zone"),
        *_numbers("built_until_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sums_state")),
        sa.CheckConstraint("id = 1", name=op.f("ck_sums_state_single")),
    )
    _family("calls_to_sum", ("user_id", "direction", "outcome_id"), _OF_CALLS)
    _sums("calls_by_hour", ("user_id", "hour", "direction", "outcome_id"), _OF_CALLS)
    _sums("calls_by_day", ("user_id", "day", "direction", "outcome_id"), _OF_CALLS)
    _sums("calls_by_month", ("month", "user_id", "direction", "outcome_id"), _OF_CALLS)
    _family("texts_to_sum", ("user_id", "currency"), _OF_TEXTS)
    _sums("texts_by_day", ("user_id", "day", "currency"), _OF_TEXTS)
    _family("listed_calls_to_sum", ("list_id", "user_id", "result"), _OF_LISTED)
    _sums("listed_calls_by_day", ("list_id", "user_id", "day", "result"), _OF_LISTED)
    for table in ("calls_by_day", "texts_by_day", "listed_calls_by_day"):
        op.create_index(f"ix_{table}_day", table, ["day"])
    op.create_index("ix_deals_created", "deals", ["created_us"])
    op.create_index("ix_deals_closes", "deals", ["closes_us"])
    op.create_index(
        "ix_call_summaries_topic", "call_summaries", ["call_created_us"], sqlite_where=_TOPIC, postgresql_where=_TOPIC
    )
    _on_change("calls", _CALL, _CALL_COUNTS, _CALL_COLUMNS)
    _on_change("texts", _TEXT, _TEXT_COUNTS, _TEXT_COLUMNS)
    _on_change("list_calls", _LISTED, "true", _LISTED_COLUMNS)
    _on_outcome()


def downgrade() -> None:
    for table in ("calls", "texts", "list_calls", "call_summaries"):
        for what in ("insert", "update", "delete"):
            name = f"{table}_summed_{what}"
            if op.get_bind().dialect.name == "sqlite":
                op.execute(f"DROP TRIGGER {name}")
                continue
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    for table in _TABLES:
        op.drop_table(table)
    for index, table in _INDEXES:
        op.drop_index(index, table)


def _on_change(table: str, statement: str, counts: str, columns: Sequence[str]) -> None:
    """What a row counted for is taken away, and what it counts for from now on is added."""

    def booked(row: str, sign: str) -> str:
        filled = statement.format(row, sign=sign, outcome=_OUTCOME.format(row), left_us=_LEFT_US.format(row))
        return f"{filled} WHERE {counts.format(row)};"

    _trigger(table, "insert", counts.format("NEW"), booked("NEW", ""))
    changed = f"({_row('OLD', columns)}) IS DISTINCT FROM ({_row('NEW', columns)})"
    if op.get_bind().dialect.name == "sqlite":
        changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)
    either = f"({counts.format('OLD')} OR {counts.format('NEW')}) AND ({changed})"
    _trigger(table, "update", either, booked("OLD", "-") + booked("NEW", ""), columns)
    _trigger(table, "delete", counts.format("OLD"), booked("OLD", "-"))


def _on_outcome() -> None:
    """A call that counts moves from one outcome to another when its user gives it one."""

    def moved(row: str, outcome: str, sign: str) -> str:
        filled = _CALL.format("calls", sign=sign, outcome=f"COALESCE({outcome}, '')")
        of_its_user = f"calls.id = {row}.call_id AND calls.user_id = {row}.user_id AND calls.summarised_us IS NOT NULL"
        return f"{filled} FROM calls WHERE {of_its_user};"

    table = "call_summaries"
    added = moved("NEW", "NULL", "-") + moved("NEW", "NEW.outcome_id", "")
    changed = moved("OLD", "OLD.outcome_id", "-") + moved("NEW", "NEW.outcome_id", "")
    removed = moved("OLD", "OLD.outcome_id", "-") + moved("OLD", "NULL", "")
    locked = "PERFORM 1 FROM calls WHERE id = {0}.call_id FOR SHARE;"
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    different = f"OLD.outcome_id {'IS NOT' if on_sqlite else 'IS DISTINCT FROM'} NEW.outcome_id"
    for what, row, when, statements, columns in (
        ("insert", "NEW", "NEW.outcome_id IS NOT NULL", added, ()),
        ("update", "NEW", different, changed, ("outcome_id",)),
        ("delete", "OLD", "OLD.outcome_id IS NOT NULL", removed, ()),
    ):
        _trigger(table, what, when, statements if on_sqlite else locked.format(row) + statements, columns)


def _trigger(table: str, what: str, when: str, statements: str, columns: Sequence[str] = ()) -> None:
    name, event = f"{table}_summed_{what}", what.upper()
    of = f" OF {', '.join(columns)}" if columns else ""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} AFTER {event}{of} ON {table} WHEN {when} BEGIN {statements} END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statements} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event}{of} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
    )


def _row(name: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{name}.{column}" for column in columns)


def _family(table: str, keys: Sequence[str], amounts: Sequence[str]) -> None:
    op.create_table(
        table,
        sa.Column("seq", _SEQ, sa.Identity(), nullable=False),
        *_numbers("at_us"),
        *_texts(*keys),
        *_numbers(*amounts),
        sa.PrimaryKeyConstraint("seq", name=op.f(f"pk_{table}")),
    )


def _sums(table: str, keys: Sequence[str], amounts: Sequence[str]) -> None:
    columns = [(_numbers if key in ("hour", "day", "month") else _texts)(key)[0] for key in keys]
    op.create_table(
        table,
        *columns,
        *_numbers(*amounts),
        sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False) for name in names]
