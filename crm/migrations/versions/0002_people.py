"""Leads, contacts, companies and deals, their notes, and what search looks into."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", BYTEWISE, nullable=False),
        sa.Column("doc", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("word", "doc", name=op.f("pk_search_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "records",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", BYTEWISE, nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('lead', 'contact', 'company')", name=op.f("ck_records_kind")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["records.id"], name=op.f("fk_records_company_id_records"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_records_owner_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    op.create_index(op.f("ix_records_company_id"), "records", ["company_id"], unique=False)
    op.create_index("ix_records_kind_id", "records", ["kind", "id"], unique=False)
    op.create_index("ix_records_kind_name", "records", ["kind", "name_key", "id"], unique=False)
    op.create_index("ix_records_owner", "records", ["owner_id", "id"], unique=False)
    op.create_index("ix_records_updated", "records", ["updated_us", "id"], unique=False)
    op.create_index("uq_records_external_id", "records", ["kind", "external_id"], unique=True)
    op.create_table(
        "activities",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_activities_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index("ix_activities_record", "activities", ["record_id", "at_us", "id"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_addresses_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_addresses")),
    )
    op.create_table(
        "deals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("company_id", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("value_micros", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("closes_us", sa.BigInteger(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'won', 'lost')", name=op.f("ck_deals_status")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["records.id"], name=op.f("fk_deals_company_id_records"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_deals_owner_id_users"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_deals_record_id_records"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sa.UniqueConstraint("external_id", name=op.f("uq_deals_external_id")),
    )
    op.create_index("ix_deals_company", "deals", ["company_id", "updated_us", "id"], unique=False)
    op.create_index("ix_deals_owner", "deals", ["owner_id", "updated_us", "id"], unique=False)
    op.create_index("ix_deals_record", "deals", ["record_id", "updated_us", "id"], unique=False)
    op.create_index("ix_deals_updated", "deals", ["updated_us", "id"], unique=False)
    op.create_table(
        "emails",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_emails_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_emails")),
    )
    op.create_table(
        "phones",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("e164", BYTEWISE, nullable=False),
        sa.Column("national", BYTEWISE, nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_phones_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_phones")),
    )
    op.create_index(op.f("ix_phones_e164"), "phones", ["e164"], unique=False)
    op.create_index(op.f("ix_phones_national"), "phones", ["national"], unique=False)
    op.create_table(
        "search_documents",
        sa.Column("doc", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_search_documents_record_id_records")),
        sa.PrimaryKeyConstraint("doc", name=op.f("pk_search_documents")),
        sa.UniqueConstraint("record_id", name=op.f("uq_search_documents_record_id")),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("fk_notes_deal_id_deals"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_notes_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_call_id"), "notes", ["call_id"], unique=False)
    op.create_index(op.f("ix_notes_deal_id"), "notes", ["deal_id"], unique=False)
    op.create_index("ix_notes_record", "notes", ["record_id", "created_us", "id"], unique=False)
    op.create_index("ix_emails_address", "emails", [sa.text("lower(address)")])
    if op.get_bind().dialect.name == "sqlite":
        _full_text()
    else:
        _trigrams()


def _full_text() -> None:
    """FTS5 keeps no copy of the bodies; triggers tell it of every change, with the text as it was."""
    gone = "INSERT INTO search_fts (search_fts, rowid, body) VALUES ('delete', old.doc, old.body);"
    come = "INSERT INTO search_fts (rowid, body) VALUES (new.doc, new.body);"
    op.execute(
        "CREATE VIRTUAL TABLE search_fts USING fts5 (body, content='search_documents', content_rowid='doc', "
        "tokenize='trigram', detail=none, columnsize=0)"
    )
    for event, what in (("INSERT", come), ("DELETE", gone), ("UPDATE OF body", gone + " " + come)):
        name = f"search_documents_{event.split()[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON search_documents BEGIN {what} END")


def _trigrams() -> None:
    """The whole and two samples of it, see crm/search/postgres.py. A short pending list keeps searches even."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE SEQUENCE search_doc")
    for suffix, condition in (("", ""), ("_eighth", " WHERE doc % 8 = 0"), ("_sample", " WHERE doc % 64 = 0")):
        op.execute(
            f"CREATE INDEX ix_search_documents_body{suffix} ON search_documents USING gin (body gin_trgm_ops) "
            f"WITH (gin_pending_list_limit = 512){condition}"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_fts")
    else:
        op.execute("DROP SEQUENCE search_doc")
    for table in (
        "notes",
        "search_documents",
        "search_words",
        "phones",
        "emails",
        "deals",
        "addresses",
        "activities",
        "records",
    ):
        op.drop_table(table)
