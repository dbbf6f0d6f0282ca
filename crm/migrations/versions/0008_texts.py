"""Texts: conversations, the outbox, who wants none, templates, transports, and 10DLC registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _conversations()
    _settings()
    _registration()


def downgrade() -> None:
    for table in (
        "number_text_campaigns",
        "text_campaigns",
        "text_brands",
        "number_text_transports",
        "text_transports",
        "text_templates",
        "text_opt_outs",
        "text_attachments",
        "early_text_reports",
        "text_parts",
        "texts",
        "conversations",
    ):
        op.drop_table(table)


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("customer_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("last_direction", sa.Text(), nullable=False),
        sa.Column("last_body", sa.Text(), nullable=False),
        sa.Column("last_state", sa.Text(), nullable=False),
        sa.Column("unread", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index("ix_conversations_customer", "conversations", ["customer_number", "last_us", "id"], unique=False)
    op.create_index("ix_conversations_last", "conversations", ["last_us", "id"], unique=False)
    op.create_index("ix_conversations_record", "conversations", ["record_id", "last_us", "id"], unique=False)
    op.create_index(
        "ix_conversations_unread",
        "conversations",
        ["user_id", "last_us", "id"],
        unique=False,
        sqlite_where=sa.text("unread > 0"),
        postgresql_where=sa.text("unread > 0"),
    )
    op.create_index("ix_conversations_user", "conversations", ["user_id", "last_us", "id"], unique=False)
    op.create_index(
        "uq_conversations_standing",
        "conversations",
        ["did", "customer_number"],
        unique=True,
        sqlite_where=sa.text("ended_us IS NULL"),
        postgresql_where=sa.text("ended_us IS NULL"),
    )
    op.create_table(
        "texts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("customer_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_us", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("price_micros", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("scheduled_us", sa.BigInteger(), nullable=True),
        sa.Column("next_us", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=True),
        sa.Column("transport_id", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.Column("delivered_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_texts_direction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
    )
    op.create_index("ix_texts_conversation", "texts", ["conversation_id", "seq"], unique=True)
    op.create_index("ix_texts_created", "texts", ["created_us", "id"], unique=False)
    op.create_index("ix_texts_customer", "texts", ["customer_number", "created_us", "id"], unique=False)
    op.create_index(
        "ix_texts_due",
        "texts",
        ["next_us", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('scheduled', 'held', 'queued', 'sending')"),
        postgresql_where=sa.text("state IN ('scheduled', 'held', 'queued', 'sending')"),
    )
    op.create_index("ix_texts_record", "texts", ["record_id", "created_us", "id"], unique=False)
    op.create_index("ix_texts_user", "texts", ["user_id", "created_us", "id"], unique=False)
    op.create_index(
        "ix_texts_waiting",
        "texts",
        ["conversation_id", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('scheduled', 'held', 'queued', 'sending')"),
        postgresql_where=sa.text("state IN ('scheduled', 'held', 'queued', 'sending')"),
    )
    op.create_index(
        "uq_texts_incoming",
        "texts",
        ["transport_id", "provider_id"],
        unique=True,
        sqlite_where=sa.text("direction = 'in'"),
        postgresql_where=sa.text("direction = 'in'"),
    )
    op.create_table(
        "text_parts",
        sa.Column("transport_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("delivered_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("transport_id", "provider_id", name=op.f("pk_text_parts")),
    )
    op.create_index(op.f("ix_text_parts_text_id"), "text_parts", ["text_id"], unique=False)
    op.create_table(
        "early_text_reports",
        sa.Column("transport_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transport_id", "provider_id", "state", name=op.f("pk_early_text_reports")),
    )
    op.create_index(op.f("ix_early_text_reports_at_us"), "early_text_reports", ["at_us"], unique=False)
    op.create_table(
        "text_attachments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_attachments")),
    )
    op.create_index(op.f("ix_text_attachments_text_id"), "text_attachments", ["text_id"], unique=False)


def _settings() -> None:
    op.create_table(
        "text_opt_outs",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_text_opt_outs")),
    )
    op.create_index("ix_text_opt_outs_created", "text_opt_outs", ["created_us", "e164"], unique=False)
    op.create_table(
        "text_templates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("group_ids", sa.JSON(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_templates")),
        sa.UniqueConstraint("name", name=op.f("uq_text_templates_name")),
    )
    op.create_table(
        "text_transports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('sip_message', 'http', 'smpp')", name=op.f("ck_text_transports_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_transports")),
        sa.UniqueConstraint("name", name=op.f("uq_text_transports_name")),
    )
    op.create_table(
        "number_text_transports",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("transport_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["e164"], ["numbers.e164"], name=op.f("fk_number_text_transports_e164_numbers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["transport_id"],
            ["text_transports.id"],
            name=op.f("fk_number_text_transports_transport_id_text_transports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_number_text_transports")),
    )
    op.create_index(
        op.f("ix_number_text_transports_transport_id"), "number_text_transports", ["transport_id"], unique=False
    )


def _registration() -> None:
    op.create_table(
        "text_brands",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("registry_id", sa.Text(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_brands")),
        sa.UniqueConstraint("name", name=op.f("uq_text_brands_name")),
    )
    op.create_table(
        "text_campaigns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("brand_id", sa.Text(), nullable=False),
        sa.Column("use_case", sa.Text(), nullable=False),
        sa.Column("message_class", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("registry_id", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state_us", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["text_brands.id"], name=op.f("fk_text_campaigns_brand_id_text_brands")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_text_campaigns_name")),
    )
    op.create_index(op.f("ix_text_campaigns_brand_id"), "text_campaigns", ["brand_id"], unique=False)
    op.create_table(
        "number_text_campaigns",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["text_campaigns.id"],
            name=op.f("fk_number_text_campaigns_campaign_id_text_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["e164"], ["numbers.e164"], name=op.f("fk_number_text_campaigns_e164_numbers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_number_text_campaigns")),
    )
    op.create_index(
        op.f("ix_number_text_campaigns_campaign_id"), "number_text_campaigns", ["campaign_id"], unique=False
    )
