"""Loss limits, drift and silence policies, history of drifts, ranks, skipped results, unknown outcomes, paper copies."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TRADES = "trades"
FILLED = {
    "copy_settings": (
        ("daily_loss_unit", sa.String(length=10), "'quote'"),
        ("drawdown_unit", sa.String(length=10), "'quote'"),
        ("stop_mode", sa.String(length=20), "'keep'"),
        ("drift_less", sa.String(length=10), "'adopt'"),
        ("drift_more", sa.String(length=10), "'ignore'"),
        ("drift_liquidated", sa.String(length=10), "'pause'"),
        ("drift_modes", sa.String(length=10), "'hold'"),
        ("silence", sa.String(length=10), "'hold'"),
        ("silence_loss", sa.Numeric(), "0.05"),
    ),
    "copy_parts": (
        ("order_id", sa.String(length=60), "''"),
        ("rank", sa.Integer(), "0"),
        ("served", sa.Integer(), "0"),
    ),
    "copy_orders": (("resolution", sa.String(length=12), "''"),),
    "symbols_ready": (
        ("margin_mode", sa.String(length=10), "''"),
        ("lead_margin_mode", sa.String(length=10), "''"),
    ),
}
"""Columns that every row has, with what the rows that are there get."""
EMPTY = {
    "copy_settings": (("max_daily_loss", sa.Numeric()), ("max_drawdown", sa.Numeric())),
    "legs": (("silence_price", sa.Numeric()),),
    "copy_parts": (("unsized", sa.Numeric()),),
    "copy_skips": (("pnl", sa.Numeric()), ("priced_at", sa.DateTime(timezone=True))),
    "copy_orders": (("unknown_at", sa.DateTime(timezone=True)), ("resolved_at", sa.DateTime(timezone=True))),
}
OPEN_SUBSCRIPTIONS = sa.text("state in ('incomplete', 'active', 'past_due')")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table, columns in FILLED.items():
        for name, kind, value in columns:
            _add_filled(table, name, kind, value, schema=TRADES, stays=table != "copy_settings")
    for table, columns in EMPTY.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True), schema=TRADES)
    op.create_index(
        "ix_copy_skips_unpriced",
        "copy_skips",
        ["part_id"],
        schema=TRADES,
        postgresql_where=sa.text("priced_at is null and quantity > 0"),
    )
    _create_stands()
    _create_drifts()
    op.create_table(
        "symbol_volumes",
        sa.Column("venue", sa.String(length=20), nullable=False),
        sa.Column("market", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("quote_volume", sa.Numeric(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("venue", "market", "mode", "symbol", name=op.f("pk_symbol_volumes")),
        schema=TRADES,
    )
    _add_filled("subscriptions", "is_paper", sa.Boolean(), "false", schema="people", stays=False)
    _index_open_subscriptions(["subscriber_id", "profile_id", "is_paper"])


def _add_filled(
    table: str, name: str, kind: "sa.types.TypeEngine[Any]", value: str, *, schema: str, stays: bool
) -> None:
    op.add_column(table, sa.Column(name, kind, server_default=sa.text(value), nullable=False), schema=schema)
    if not stays:
        op.alter_column(table, name, server_default=None, schema=schema)


def _create_stands() -> None:
    op.create_table(
        "copy_stands",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_pnl", sa.Numeric(), nullable=False),
        sa.Column("day_equity", sa.Numeric(), nullable=True),
        sa.Column("pnl", sa.Numeric(), nullable=False),
        sa.Column("peak_pnl", sa.Numeric(), nullable=False),
        sa.Column("peak_equity", sa.Numeric(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("daily_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawdown_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silent_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_copy_stands")),
        schema=TRADES,
    )


def _create_drifts() -> None:
    op.create_table(
        "copy_drifts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("position_side", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("policy", sa.String(length=12), nullable=False),
        sa.Column("expected", sa.String(length=60), nullable=False),
        sa.Column("found", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_drifts")),
        schema=TRADES,
    )
    op.create_index(op.f("ix_copy_drifts_leg_id"), "copy_drifts", ["leg_id"], schema=TRADES)
    op.create_index("ix_copy_drifts_subscriber", "copy_drifts", ["subscriber_id", "id"], schema=TRADES)


def _index_open_subscriptions(columns: list[str]) -> None:
    op.drop_index("uq_subscriptions_open", table_name="subscriptions", schema="people")
    op.create_index(
        "uq_subscriptions_open",
        "subscriptions",
        columns,
        unique=True,
        schema="people",
        postgresql_where=OPEN_SUBSCRIPTIONS,
    )


def downgrade() -> None:
    _index_open_subscriptions(["subscriber_id", "profile_id"])
    op.drop_column("subscriptions", "is_paper", schema="people")
    for table in ("symbol_volumes", "copy_drifts", "copy_stands"):
        op.drop_table(table, schema=TRADES)
    op.drop_index("ix_copy_skips_unpriced", table_name="copy_skips", schema=TRADES)
    for table, columns in EMPTY.items():
        for name, _ in columns:
            op.drop_column(table, name, schema=TRADES)
    for table, columns in FILLED.items():
        for name, *_ in columns:
            op.drop_column(table, name, schema=TRADES)
