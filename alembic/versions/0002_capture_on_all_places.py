"""What capture keeps for spot and for venues whose trade ids are no numbers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    number = sa.Column("sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("fills", number, schema="trades")
    marked = sa.Column("marked_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("lead_positions", marked, schema="trades")
    began = sa.Column("poll_began_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("capture_states", began, schema="trades")
    held = sa.Column(
        "balances", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
    )
    op.add_column("capture_states", held, schema="trades")


def downgrade() -> None:
    op.drop_column("capture_states", "balances", schema="trades")
    op.drop_column("capture_states", "poll_began_at", schema="trades")
    op.drop_column("lead_positions", "marked_sequence", schema="trades")
    op.drop_column("fills", "sequence", schema="trades")
