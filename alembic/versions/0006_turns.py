"""How many changes of a lead's position were planned, by which the order of his subscribers rotates."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    changes = sa.Column("changes", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("lead_positions", changes, schema="trades")


def downgrade() -> None:
    op.drop_column("lead_positions", "changes", schema="trades")
