"""From where to where the lead's position went with a part: what a skip would have made is priced by it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("lead_before", "lead_after")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in COLUMNS:
        op.add_column("copy_parts", sa.Column(name, sa.Numeric(), nullable=True), schema="trades")


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("copy_parts", name, schema="trades")
