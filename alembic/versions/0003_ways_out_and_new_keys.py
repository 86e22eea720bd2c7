"""Which way out an account takes, whose account a key opens, new keys under check, examinations."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, length in (("uid", 40), ("egress", 120)):
        column = sa.Column(name, sa.String(length=length), server_default=sa.text("''"), nullable=False)
        op.add_column("exchange_accounts", column, schema="people")
    version = sa.Column("key_version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    op.add_column("exchange_accounts", version, schema="people")
    op.create_table(
        "key_replacements",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("key_hint", sa.String(length=4), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _account("key_replacements"),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_key_replacements")),
        schema="people",
    )
    op.create_index(op.f("ix_key_replacements_due_at"), "key_replacements", ["due_at"], schema="people")
    op.create_table(
        "account_examinations",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        _account("account_examinations"),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_account_examinations")),
        schema="people",
    )
    op.create_index(op.f("ix_account_examinations_due_at"), "account_examinations", ["due_at"], schema="people")


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["exchange_account_id"],
        ["people.exchange_accounts.id"],
        name=op.f(f"fk_{table}_exchange_account_id_exchange_accounts"),
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_table("account_examinations", schema="people")
    op.drop_table("key_replacements", schema="people")
    op.drop_column("exchange_accounts", "key_version", schema="people")
    op.drop_column("exchange_accounts", "egress", schema="people")
    op.drop_column("exchange_accounts", "uid", schema="people")
