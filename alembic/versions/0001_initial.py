"""Every table of the first version."""

import importlib
import importlib.util

from alembic import op
from sqlmodel import SQLModel

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for schema in ("people", "trades"):
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    SQLModel.metadata.create_all(op.get_bind())


def downgrade() -> None:
    SQLModel.metadata.drop_all(op.get_bind())
    for schema in ("people", "trades"):
        op.execute(f"DROP SCHEMA {schema} CASCADE")
