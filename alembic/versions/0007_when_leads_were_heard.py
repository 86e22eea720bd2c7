"""When the stream of a lead was last heard."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    heard = sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("capture_leases", heard, schema="trades")


def downgrade() -> None:
    op.drop_column("capture_leases", "heard_at", schema="trades")
