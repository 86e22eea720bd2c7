"""What venues demand of orders in a symbol, for pages that show what a copy would be."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

AMOUNTS = ("quantity_step", "price_tick", "min_quantity", "max_quantity", "min_notional")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "symbol_terms",
        sa.Column("venue", sa.String(length=20), nullable=False),
        sa.Column("market", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("base", sa.String(length=40), nullable=False),
        sa.Column("quote", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Numeric(), nullable=False) for name in AMOUNTS),
        sa.Column("exits_exempt", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("venue", "market", "mode", "symbol", name=op.f("pk_symbol_terms")),
        schema="trades",
    )


def downgrade() -> None:
    op.drop_table("symbol_terms", schema="trades")
