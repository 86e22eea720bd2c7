"""Money: states, trials, consents and coupons of subscriptions; the ledger in minor units, payouts, differences."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN = "state in ('incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'disputed')"
_OPEN_BEFORE = "state in ('incomplete', 'active', 'past_due')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _subscriptions()
    _selling()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _selling_back()
    _subscriptions_back()


def _moment(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _subscriptions() -> None:
    op.add_column(
        "profiles", sa.Column("trial_days", sa.Integer(), nullable=False, server_default="0"), schema="people"
    )
    for column in (
        sa.Column("trial_days", sa.Integer(), nullable=False, server_default="0"),
        _flag("is_trial"),
        _flag("is_late"),
        _flag("has_given_up"),
        _flag("is_held"),
        _flag("is_disputed"),
        sa.Column("next_price", sa.Numeric(), nullable=True),
        _moment("next_price_from"),
        _moment("trial_told_at"),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
    ):
        op.add_column("subscriptions", column, schema="people")
    op.execute("UPDATE people.subscriptions SET state = 'canceled' WHERE state = 'ended'")
    op.execute("UPDATE people.subscriptions SET is_late = true WHERE state = 'past_due'")
    _open_index(_OPEN)
    op.create_table(
        "risk_consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        _moment("accepted_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_consents")),
        schema="people",
    )
    op.create_index("ix_risk_consents_newest", "risk_consents", ["user_id", "accepted_at"], schema="people")


def _subscriptions_back() -> None:
    op.drop_table("risk_consents", schema="people")
    op.execute(
        "UPDATE people.subscriptions SET state = CASE state WHEN 'canceled' THEN 'ended' WHEN 'incomplete' THEN state"
        " WHEN 'trialing' THEN 'active' WHEN 'active' THEN 'active' ELSE 'past_due' END"
    )
    _open_index(_OPEN_BEFORE)
    for column in (
        "trial_days", "is_trial", "is_late", "has_given_up", "is_held", "is_disputed", "next_price", "next_price_from",
        "trial_told_at", "successor_id",
    ):  # fmt: skip
        op.drop_column("subscriptions", column, schema="people")
    op.drop_column("profiles", "trial_days", schema="people")


def _open_index(states: str) -> None:
    op.drop_index("uq_subscriptions_open", "subscriptions", schema="people")
    op.create_index(
        "uq_subscriptions_open",
        "subscriptions",
        ["subscriber_id", "profile_id", "is_paper"],
        unique=True,
        schema="people",
        postgresql_where=sa.text(states),
    )


def _selling() -> None:
    """Make what a trader sells with, and what the webhooks' inbox remembers."""
    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("percent", sa.Numeric(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("duration", sa.String(length=10), nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        _moment("ends_at"),
        sa.Column("stripe_coupon_id", sa.String(), nullable=False),
        sa.Column("stripe_promotion_code_id", sa.String(), nullable=False),
        _moment("ended_at"),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        schema="people",
    )
    op.create_index(op.f("ix_coupons_profile_id"), "coupons", ["profile_id"], schema="people")
    op.create_index(
        "uq_coupons_code",
        "coupons",
        [sa.text("lower(code)")],
        unique=True,
        schema="people",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.add_column("payment_checkouts", sa.Column("coupon_id", sa.Uuid(), nullable=True), schema="people")
    op.add_column(
        "payment_subscriptions",
        sa.Column("stripe_price_id", sa.String(), nullable=False, server_default=""),
        schema="people",
    )
    op.add_column("payment_subscriptions", sa.Column("off_percent", sa.Numeric(), nullable=True), schema="people")
    op.add_column("payment_subscriptions", sa.Column("off_minor", sa.BigInteger(), nullable=True), schema="people")
    op.add_column("payment_subscriptions", _moment("off_until"), schema="people")


def _selling_back() -> None:
    for column in ("stripe_price_id", "off_percent", "off_minor", "off_until"):
        op.drop_column("payment_subscriptions", column, schema="people")
    op.drop_column("payment_checkouts", "coupon_id", schema="people")
    op.drop_table("coupons", schema="people")
