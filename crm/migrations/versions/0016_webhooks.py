"""Webhooks, and the triggers that note for them what happened."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NOT_PREPARED = sa.text("prepared_us IS NULL")
_WAITING = sa.text("state = 'waiting'")
_FAILED = sa.text("state = 'failed'")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Told(NamedTuple):
    """Of a row of ``table`` for which ``condition`` holds, an event is noted; ``at`` is the column with its moment,
    empty where the row knows none. A trigger that failed would keep the row from being written: none can."""

    type: str
    table: str
    when: str  # INSERT, UPDATE OF a column, or DELETE
    condition: str
    at: str
    object_id: str = "id"

    @property
    def name(self) -> str:
        return f"webhook_{self.table}_{self.when.split()[0].lower()}_{self.type.replace('.', '_')}"


def _reached(type_: str, table: str, column: str, condition: str, at: str, object_id: str = "id") -> list[Told]:
    """The row comes into a state, or is written in it at once. ``condition`` says that NEW is in it; of OLD the same
    is said with its name."""
    before = condition.replace("NEW.", "OLD.")
    return [
        Told(type_, table, "INSERT", condition, at, object_id),
        Told(type_, table, f"UPDATE OF {column}", f"({condition}) AND NOT ({before})", at, object_id),
    ]


def _text_state(type_: str, *states: str) -> list[Told]:
    wanted = ", ".join(f"'{state}'" for state in states)
    return _reached(type_, "texts", "state", f"NEW.direction = 'out' AND NEW.state IN ({wanted})", "state_us")


def _kept(kind: str, table: str, condition: str) -> list[Told]:
    changed = f"{condition} AND NEW.updated_us <> OLD.updated_us"
    return [
        Told(f"{kind}.added", table, "INSERT", condition, "created_us"),
        Told(f"{kind}.changed", table, "UPDATE OF updated_us", changed, "updated_us"),
        Told(f"{kind}.removed", table, "DELETE", condition.replace("NEW.", "OLD."), ""),
    ]


_SAVED = "NEW.state = 'saved'"
_SUMMARY = "call_id || '/' || {row}.user_id"
TOLD: list[Told] = [
    Told("call.created", "calls", "INSERT", "NEW.id IS NOT NULL", "created_us"),
    *_reached("call.answered", "calls", "answered_us", "NEW.answered_us IS NOT NULL", "answered_us"),
    *_reached("call.ended", "calls", "ended_us", "NEW.ended_us IS NOT NULL", "ended_us"),
    *_reached("recording.ready", "recordings", "state", "NEW.state = 'ready'", "ended_us"),
    *_reached("voicemail.received", "voicemails", "state", "NEW.state = 'ready'", "created_us"),
    Told("summary.saved", "call_summaries", "INSERT", _SAVED, "saved_us", _SUMMARY),
    Told(
        "summary.saved",
        "call_summaries",
        "UPDATE OF saved_us",
        f"{_SAVED} AND (OLD.saved_us IS NULL OR NEW.saved_us <> OLD.saved_us)",
        "saved_us",
        _SUMMARY,
    ),
    Told("text.received", "texts", "INSERT", "NEW.direction = 'in'", "created_us"),
    Told("text.accepted", "texts", "INSERT", "NEW.direction = 'out'", "created_us"),
    *_text_state("text.sent", "sent", "delivered"),
    *_text_state("text.delivered", "delivered"),
    *_text_state("text.failed", "failed", "unknown"),
    *_text_state("text.canceled", "canceled"),
    *_reached("list_entry.done", "list_entries", "state", "NEW.state = 'done'", "changed_us"),
    *_reached("list_entry.out", "list_entries", "state", "NEW.state = 'out'", "changed_us"),
    *_kept("lead", "records", "NEW.kind = 'lead'"),
    *_kept("contact", "records", "NEW.kind = 'contact'"),
    *_kept("company", "records", "NEW.kind = 'company'"),
    *_kept("deal", "deals", "NEW.id IS NOT NULL"),
    Told("opt_out.added", "text_opt_outs", "INSERT", "NEW.e164 IS NOT NULL", "created_us", "e164"),
    Told("opt_out.removed", "text_opt_outs", "DELETE", "OLD.e164 IS NOT NULL", "", "e164"),
]


def upgrade() -> None:
    _tables()
    if op.get_bind().dialect.name == "postgresql":
        for row, name in (("NEW", "webhook_note"), ("OLD", "webhook_note_gone")):
            op.execute(_function(name, row))
    for told in TOLD:
        op.execute(_trigger(told))


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for told in TOLD:
        op.execute(f"DROP TRIGGER {told.name}" + (f" ON {told.table}" if on_postgresql else ""))
    if on_postgresql:
        op.execute("DROP FUNCTION webhook_note()")
        op.execute("DROP FUNCTION webhook_note_gone()")
    for table in ("webhook_deliveries", "webhook_events", "webhook_wants", "webhooks"):
        op.drop_table(table)


# -- what is noted -----------------------------------------------------------------------------------


def _trigger(told: Told) -> str:
    row = "OLD" if told.when == "DELETE" else "NEW"
    head = f"CREATE TRIGGER {told.name} AFTER {told.when} ON {told.table} FOR EACH ROW"
    object_id = f"{row}.{told.object_id.format(row=row)}"
    if op.get_bind().dialect.name == "sqlite":
        at = f"{row}.{told.at}" if told.at else "NULL"
        return (
            f"{head} WHEN {told.condition} AND EXISTS (SELECT 1 FROM webhook_wants WHERE type = '{told.type}') "
            f"BEGIN INSERT INTO webhook_events (type, object_id, at_us) "
            f"VALUES ('{told.type}', {object_id}, {at}); END"
        )
    function = "webhook_note_gone" if row == "OLD" else "webhook_note"
    keys = "call_id,user_id" if "||" in told.object_id else told.object_id
    return f"{head} WHEN ({told.condition}) EXECUTE FUNCTION {function}('{told.type}', '{keys}', '{told.at}')"


def _function(name: str, row: str) -> str:
    """For PostgreSQL, whose triggers may not look into other tables by themselves."""
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE columns jsonb; "
        "BEGIN "
        "IF EXISTS (SELECT 1 FROM webhook_wants WHERE type = TG_ARGV[0]) THEN "
        f"columns := to_jsonb({row}); "
        "INSERT INTO webhook_events (type, object_id, at_us) VALUES (TG_ARGV[0], "
        "(SELECT string_agg(columns ->> key, '/' ORDER BY place) "
        "FROM unnest(string_to_array(TG_ARGV[1], ',')) WITH ORDINALITY AS named(key, place)), "
        "(columns ->> TG_ARGV[2])::bigint); "
        "END IF; "
        "RETURN NULL; END $$"
    )


# -- tables ------------------------------------------------------------------------------------------


def _tables() -> None:
    op.create_table(
        "webhooks",
        *_texts("id", "url", "description"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        *_texts("secret"),
        *_texts("old_secret", nullable=True),
        *_numbers("old_until_us", nullable=True),
        *_numbers("failures"),
        *_numbers("failing_us", "delivered_us", nullable=True),
        *_numbers("next_us"),
        *_texts("leased_by", nullable=True),
        *_numbers("leased_until_us", nullable=True),
        *_numbers("created_us", "updated_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_wants",
        *_texts("webhook_id", "type"),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_wants_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "type", name=op.f("pk_webhook_wants")),
    )
    op.create_index("ix_webhook_wants_type", "webhook_wants", ["type"])
    _events()
    _deliveries()


def _events() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("seq", _NUMBER, nullable=False, autoincrement=True),
        *_texts("id", nullable=True),
        *_texts("type", "object_id"),
        *_texts("webhook_id", "body", nullable=True),
        *_numbers("at_us", "prepared_us", nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_events_id")),
    )
    op.create_index(
        "ix_webhook_events_new", "webhook_events", ["seq"], sqlite_where=_NOT_PREPARED, postgresql_where=_NOT_PREPARED
    )
    op.create_index("ix_webhook_events_object", "webhook_events", ["object_id"])


def _deliveries() -> None:
    table, one = "webhook_deliveries", "fk_webhook_deliveries"
    op.create_table(
        table,
        *_texts("id", "webhook_id"),
        sa.Column("event_seq", _NUMBER, nullable=False),
        *_texts("state"),
        *_numbers("attempts", "created_us", "since_us", "next_us"),
        *_numbers("tried_us", "took_ms", "status", nullable=True),
        *_texts("error", nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f(f"{one}_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"], ["webhook_events.seq"], name=op.f(f"{one}_event_seq_webhook_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_list", table, ["webhook_id", "created_us", "id"])
    op.create_index("ix_webhook_deliveries_created", table, ["created_us", "id"])
    op.create_index("ix_webhook_deliveries_event", table, ["event_seq"])
    op.create_index(
        "ix_webhook_deliveries_waiting",
        table,
        ["webhook_id", "event_seq"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_webhook_deliveries_failed", table, ["webhook_id"], sqlite_where=_FAILED, postgresql_where=_FAILED
    )


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]
