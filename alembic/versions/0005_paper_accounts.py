"""Paper accounts with their funds, and which copies are on paper."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COPIES = ("copy_settings", "subscription_results")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "paper_accounts",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("funds", sa.Numeric(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_account_id"],
            ["people.exchange_accounts.id"],
            name=op.f("fk_paper_accounts_exchange_account_id_exchange_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_paper_accounts")),
        schema="people",
    )
    for table in COPIES:
        on_paper = sa.Column("is_paper", sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, on_paper, schema="trades")


def downgrade() -> None:
    for table in COPIES:
        op.drop_column(table, "is_paper", schema="trades")
    op.drop_table("paper_accounts", schema="people")
