"""Call lists, their entries, runs, leases and calls; messages for mailboxes; long do-not-call lists."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_RUNNING = sa.text("ended_us IS NULL")


def upgrade() -> None:
    op.create_table(
        "call_lists",
        *_texts("id", "name", "description"),
        *_texts("owner_id", empty=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("group_ids", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("filling", sa.JSON(), nullable=True),
        *_numbers("last_position", "preview_s", "wrap_up_s"),
        *_texts("wrap_up"),
        sa.Column("retry", sa.JSON(), nullable=False),
        *_numbers("daily_calls", "daily_calls_user", "daily_calls_number", empty=True),
        *_texts("drop_outcome_id", empty=True),
        *_numbers("created_us", "updated_us"),
        sa.CheckConstraint("wrap_up IN ('setting', 'required', 'free')", name=op.f("ck_call_lists_wrap_up")),
        _to("call_lists", "owner_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_lists")),
    )
    op.create_index(op.f("ix_call_lists_owner_id"), "call_lists", ["owner_id"])
    _entries()
    _runs()
    _calls()
    _drops()
    _do_not_call()


def downgrade() -> None:
    for table in (
        *("do_not_call_blocks", "do_not_call_lists", "voicemail_drops", "list_calls"),
        *("list_runs", "list_leases", "list_entries", "call_lists"),
    ):
        op.drop_table(table)


def _entries() -> None:
    op.create_table(
        "list_entries",
        *_texts("id", "list_id", "record_id"),
        *_numbers("position"),
        *_texts("number", "place", "state"),
        *_numbers("due_us"),
        *_texts("reason"),
        *_numbers("calls"),
        *_texts("result", "outcome_id", "last_call_id", empty=True),
        *_numbers("last_call_us", empty=True),
        *_numbers("changed_us"),
        sa.CheckConstraint("state IN ('waiting', 'done', 'out')", name=op.f("ck_list_entries_state")),
        _to("list_entries", "list_id", "call_lists", "CASCADE"),
        _to("list_entries", "record_id", "records", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_entries")),
    )
    op.create_index("uq_list_entries_record", "list_entries", ["list_id", "record_id"], unique=True)
    op.create_index("ix_list_entries_next", "list_entries", ["list_id", "state", "place", "due_us", "position"])
    op.create_index("ix_list_entries_order", "list_entries", ["list_id", "position"])
    op.create_index(op.f("ix_list_entries_record_id"), "list_entries", ["record_id"])
    op.create_index(op.f("ix_list_entries_last_call_id"), "list_entries", ["last_call_id"])
    op.create_table(
        "list_leases",
        *_texts("number", "entry_id", "run_id", "user_id"),
        *_numbers("until_us"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_list_leases")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_list_leases_entry_id")),
    )
    op.create_index(op.f("ix_list_leases_run_id"), "list_leases", ["run_id"])


def _runs() -> None:
    op.create_table(
        "list_runs",
        *_texts("id", "list_id", "user_id", "phase", "paused", "reason"),
        *_texts("entry_id", "call_id", empty=True),
        *_numbers("due_us", "held_us", empty=True),
        *_texts("via", "device_id", empty=True),
        *_numbers("calls", "started_us", "beat_us"),
        *_numbers("ended_us", empty=True),
        _to("list_runs", "list_id", "call_lists", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_runs")),
    )
    op.create_index(
        "uq_list_runs_user", "list_runs", ["user_id"], unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING
    )
    op.create_index("ix_list_runs_list", "list_runs", ["list_id", "started_us"])


def _calls() -> None:
    op.create_table(
        "list_calls",
        *_texts("call_id", "list_id", "entry_id", "user_id", "number"),
        *_numbers("at_us"),
        *_numbers("ended_us", "talk_ms", empty=True),
        *_texts("result", "outcome_id", empty=True),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_list_calls")),
    )
    for short, column in (("list", "list_id"), ("number", "number"), ("user", "user_id")):
        op.create_index(f"ix_list_calls_{short}", "list_calls", [column, "at_us"])


def _drops() -> None:
    op.create_table(
        "voicemail_drops",
        *_texts("id", "user_id", "name", "sound"),
        *_numbers("duration_ms", "created_us", "updated_us"),
        _to("voicemail_drops", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voicemail_drops")),
    )
    op.create_index(op.f("ix_voicemail_drops_user_id"), "voicemail_drops", ["user_id"])


def _do_not_call() -> None:
    op.create_table(
        "do_not_call_lists",
        *_texts("id", "name", "source"),
        *_numbers("numbers", "created_us", "updated_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_call_lists")),
        sa.UniqueConstraint("name", name=op.f("uq_do_not_call_lists_name")),
    )
    op.create_table(
        "do_not_call_blocks",
        *_texts("list_id"),
        *_numbers("first"),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        _to("do_not_call_blocks", "list_id", "do_not_call_lists", "CASCADE"),
        sa.PrimaryKeyConstraint("list_id", "first", name=op.f("pk_do_not_call_blocks")),
    )


def _texts(*names: str, empty: bool = False) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=empty) for name in names)


def _numbers(*names: str, empty: bool = False) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.BigInteger(), nullable=empty) for name in names)


def _to(table: str, column: str, other: str, on_delete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=on_delete)
