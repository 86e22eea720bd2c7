"""Openings that wait to be sized are asked for at every sweep: an index of them alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_copy_parts_unsized",
        "copy_parts",
        ["lead_account_id"],
        schema="trades",
        postgresql_where=sa.text("unsized is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_copy_parts_unsized", "copy_parts", schema="trades")
