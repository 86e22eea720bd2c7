"""The margin mode of a position, so that copies follow when the lead changes it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("account_positions", sa.Column("margin_mode", sa.String(length=10), nullable=True), schema="people")


def downgrade() -> None:
    op.drop_column("account_positions", "margin_mode", schema="people")
