"""Every table of the first version."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for schema in ("people", "trades"):
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    op.create_table(
        "clock_offsets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_offsets")),
        schema="people",
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column(
            "facts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        schema="people",
    )
    op.create_index(op.f("ix_events_cause"), "events", ["cause"], unique=False, schema="people")
    op.create_index(op.f("ix_events_handled_at"), "events", ["handled_at"], unique=False, schema="people")
    op.create_index(op.f("ix_events_happened_at"), "events", ["happened_at"], unique=False, schema="people")
    op.create_index(op.f("ix_events_kind"), "events", ["kind"], unique=False, schema="people")
    op.create_index(op.f("ix_events_user_id"), "events", ["user_id"], unique=False, schema="people")
    op.create_table(
        "exchange_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.String(length=20), nullable=False),
        sa.Column("market", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("key_hint", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ip_restricted", sa.Boolean(), nullable=True),
        sa.Column("key_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unlinked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_attempts", sa.Integer(), nullable=False),
        sa.Column("snapshot_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_accounts")),
        schema="people",
    )
    op.create_index(
        op.f("ix_exchange_accounts_changed_at"), "exchange_accounts", ["changed_at"], unique=False, schema="people"
    )
    op.create_index(
        op.f("ix_exchange_accounts_check_due_at"), "exchange_accounts", ["check_due_at"], unique=False, schema="people"
    )
    op.create_index(
        op.f("ix_exchange_accounts_fingerprint"), "exchange_accounts", ["fingerprint"], unique=False, schema="people"
    )
    op.create_index(
        op.f("ix_exchange_accounts_snapshot_due_at"),
        "exchange_accounts",
        ["snapshot_due_at"],
        unique=False,
        schema="people",
    )
    op.create_index(op.f("ix_exchange_accounts_state"), "exchange_accounts", ["state"], unique=False, schema="people")
    op.create_index(
        op.f("ix_exchange_accounts_user_id"), "exchange_accounts", ["user_id"], unique=False, schema="people"
    )
    op.create_index(
        "uq_exchange_accounts_fingerprint",
        "exchange_accounts",
        ["venue", "market", "fingerprint"],
        unique=True,
        schema="people",
        postgresql_where=sa.text("state IN ('checking', 'active', 'paused')"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_period_id", sa.Uuid(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("booking", "account", name=op.f("uq_ledger_entries_booking_account")),
        schema="people",
    )
    op.create_index(op.f("ix_ledger_entries_account"), "ledger_entries", ["account"], unique=False, schema="people")
    op.create_index(
        op.f("ix_ledger_entries_paid_period_id"), "ledger_entries", ["paid_period_id"], unique=False, schema="people"
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("user_id", "dedupe_key", name=op.f("uq_mails_user_id_dedupe_key")),
        schema="people",
    )
    op.create_index(
        "ix_mails_due",
        "mails",
        ["try_at"],
        unique=False,
        schema="people",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "notice_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel", name=op.f("pk_notice_preferences")),
        schema="people",
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "dedupe_key", name=op.f("uq_notices_user_id_dedupe_key")),
        schema="people",
    )
    op.create_index(
        "ix_notices_unread",
        "notices",
        ["user_id"],
        unique=False,
        schema="people",
        postgresql_where=sa.text("read_at is null"),
    )
    op.create_index(op.f("ix_notices_user_id"), "notices", ["user_id"], unique=False, schema="people")
    op.create_table(
        "paid_periods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stripe_invoice_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("trader_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("platform_part", sa.Numeric(), nullable=False),
        sa.Column("trader_part", sa.Numeric(), nullable=False),
        sa.Column("refunded", sa.Numeric(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paid_periods")),
        sa.UniqueConstraint("stripe_invoice_id", name=op.f("uq_paid_periods_stripe_invoice_id")),
        schema="people",
    )
    op.create_index(
        op.f("ix_paid_periods_subscriber_id"), "paid_periods", ["subscriber_id"], unique=False, schema="people"
    )
    op.create_index(
        op.f("ix_paid_periods_subscription_id"), "paid_periods", ["subscription_id"], unique=False, schema="people"
    )
    op.create_index(op.f("ix_paid_periods_trader_id"), "paid_periods", ["trader_id"], unique=False, schema="people")
    op.create_table(
        "payment_checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stripe_session_id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_checkouts")),
        sa.UniqueConstraint("stripe_session_id", name=op.f("uq_payment_checkouts_stripe_session_id")),
        sa.UniqueConstraint("subscription_id", "attempt", name=op.f("uq_payment_checkouts_subscription_id_attempt")),
        schema="people",
    )
    op.create_index(
        "ix_payment_checkouts_due",
        "payment_checkouts",
        ["check_at"],
        unique=False,
        schema="people",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "payment_customers",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_customer_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_payment_customers")),
        sa.UniqueConstraint("stripe_customer_id", name=op.f("uq_payment_customers_stripe_customer_id")),
        schema="people",
    )
    op.create_table(
        "payment_prices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stripe_product_id", sa.String(), nullable=False),
        sa.Column("stripe_price_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_prices")),
        sa.UniqueConstraint(
            "profile_id", "amount", "currency", name=op.f("uq_payment_prices_profile_id_amount_currency")
        ),
        schema="people",
    )
    op.create_table(
        "payment_subscriptions",
        sa.Column("stripe_subscription_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stripe_subscription_id", name=op.f("pk_payment_subscriptions")),
        schema="people",
    )
    op.create_index(
        op.f("ix_payment_subscriptions_status"), "payment_subscriptions", ["status"], unique=False, schema="people"
    )
    op.create_index(
        op.f("ix_payment_subscriptions_subscription_id"),
        "payment_subscriptions",
        ["subscription_id"],
        unique=False,
        schema="people",
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lead_account_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=1000), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("slug", name=op.f("uq_profiles_slug")),
        schema="people",
    )
    op.create_index(op.f("ix_profiles_is_published"), "profiles", ["is_published"], unique=False, schema="people")
    op.create_index(op.f("ix_profiles_user_id"), "profiles", ["user_id"], unique=False, schema="people")
    op.create_index(
        "uq_profiles_lead_account",
        "profiles",
        ["lead_account_id"],
        unique=True,
        schema="people",
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_index("uq_profiles_name", "profiles", [sa.literal_column("lower(name)")], unique=True, schema="people")
    op.create_table(
        "secret_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_requests")),
        schema="people",
    )
    op.create_index(
        op.f("ix_secret_requests_requested_at"), "secret_requests", ["requested_at"], unique=False, schema="people"
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("trader_id", sa.Uuid(), nullable=False),
        sa.Column("lead_account_id", sa.Uuid(), nullable=False),
        sa.Column("copy_account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entitled_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_ending", sa.Boolean(), nullable=False),
        sa.Column("end_mode", sa.String(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        schema="people",
    )
    op.create_index(
        op.f("ix_subscriptions_copy_account_id"), "subscriptions", ["copy_account_id"], unique=False, schema="people"
    )
    op.create_index(
        "ix_subscriptions_lead_open",
        "subscriptions",
        ["lead_account_id"],
        unique=False,
        schema="people",
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_index(op.f("ix_subscriptions_profile_id"), "subscriptions", ["profile_id"], unique=False, schema="people")
    op.create_index(op.f("ix_subscriptions_state"), "subscriptions", ["state"], unique=False, schema="people")
    op.create_index(
        op.f("ix_subscriptions_subscriber_id"), "subscriptions", ["subscriber_id"], unique=False, schema="people"
    )
    op.create_index(op.f("ix_subscriptions_trader_id"), "subscriptions", ["trader_id"], unique=False, schema="people")
    op.create_index(
        "uq_subscriptions_open",
        "subscriptions",
        ["subscriber_id", "profile_id"],
        unique=True,
        schema="people",
        postgresql_where=sa.text("state in ('incomplete', 'active', 'past_due')"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_trader", sa.Boolean(), nullable=False),
        sa.Column("is_subscriber", sa.Boolean(), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.Column("accepted_terms_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        schema="people",
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("api_version", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        schema="people",
    )
    op.create_index(
        "ix_webhook_events_due",
        "webhook_events",
        ["try_at"],
        unique=False,
        schema="people",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "account_entries",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("venue_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", "entry_id", name=op.f("pk_account_entries")),
        schema="trades",
    )
    op.create_index(
        "ix_account_entries_account_time",
        "account_entries",
        ["exchange_account_id", "venue_time"],
        unique=False,
        schema="trades",
    )
    op.create_table(
        "account_records",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "book", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("fills_applied", sa.Integer(), nullable=False),
        sa.Column("fills_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries_applied", sa.Integer(), nullable=False),
        sa.Column("missing_fills", sa.Integer(), nullable=False),
        sa.Column("unpriced_fees", sa.Integer(), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("anchor_wallet", sa.Numeric(), nullable=True),
        sa.Column("explained", sa.Numeric(), nullable=False),
        sa.Column("gap", sa.Numeric(), nullable=False),
        sa.Column("gap_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("has_history", sa.Boolean(), nullable=False),
        sa.Column("trips_closed", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("open_positions", sa.Integer(), nullable=False),
        sa.Column("equity", sa.Numeric(), nullable=True),
        sa.Column("equity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_account_records")),
        schema="trades",
    )
    op.create_table(
        "account_statistics",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("pnl", sa.Numeric(), nullable=False),
        sa.Column("total_return", sa.Float(), nullable=True),
        sa.Column("cagr", sa.Float(), nullable=True),
        sa.Column("volatility", sa.Float(), nullable=True),
        sa.Column("sharpe", sa.Float(), nullable=True),
        sa.Column("sortino", sa.Float(), nullable=True),
        sa.Column("calmar", sa.Float(), nullable=True),
        sa.Column("max_drawdown", sa.Float(), nullable=True),
        sa.Column("current_drawdown", sa.Float(), nullable=True),
        sa.Column("longest_drawdown_days", sa.Integer(), nullable=True),
        sa.Column("best_day", sa.Float(), nullable=True),
        sa.Column("worst_day", sa.Float(), nullable=True),
        sa.Column("best_day_share", sa.Float(), nullable=True),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("net", sa.Numeric(), nullable=False),
        sa.Column("fees", sa.Numeric(), nullable=False),
        sa.Column("funding", sa.Numeric(), nullable=False),
        sa.Column("win_rate", sa.Numeric(), nullable=True),
        sa.Column("profit_factor", sa.Numeric(), nullable=True),
        sa.Column("payoff", sa.Numeric(), nullable=True),
        sa.Column("expectancy", sa.Numeric(), nullable=True),
        sa.Column("best_share", sa.Numeric(), nullable=True),
        sa.Column("average_holding_s", sa.Float(), nullable=True),
        sa.Column("median_holding_s", sa.Float(), nullable=True),
        sa.Column("exposure", sa.Float(), nullable=True),
        sa.Column("per_week", sa.Float(), nullable=True),
        sa.Column(
            "curve", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("trips_closed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", "window", name=op.f("pk_account_statistics")),
        schema="trades",
    )
    op.create_table(
        "capture_leases",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "exchange_account_id", name=op.f("pk_capture_leases")),
        schema="trades",
    )
    op.create_index(op.f("ix_capture_leases_owner"), "capture_leases", ["owner"], unique=False, schema="trades")
    op.create_table(
        "capture_processes",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("alive_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "owner", name=op.f("pk_capture_processes")),
        schema="trades",
    )
    op.create_index(
        op.f("ix_capture_processes_alive_until"), "capture_processes", ["alive_until"], unique=False, schema="trades"
    )
    op.create_table(
        "capture_states",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("baseline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "first_reading", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("polled_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursors", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("entries_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transfer_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_deaf_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("history_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_capture_states")),
        schema="trades",
    )
    op.create_table(
        "copy_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("filled", sa.Numeric(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_decisions")),
        schema="trades",
    )
    op.create_index(op.f("ix_copy_decisions_order_id"), "copy_decisions", ["order_id"], unique=False, schema="trades")
    op.create_table(
        "copy_notices",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "reason", name=op.f("pk_copy_notices")),
        schema="trades",
    )
    op.create_table(
        "copy_order_parts",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "part_id", name=op.f("pk_copy_order_parts")),
        schema="trades",
    )
    op.create_index("ix_copy_order_parts_part", "copy_order_parts", ["part_id"], unique=False, schema="trades")
    op.create_table(
        "copy_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("service_key", sa.String(length=100), nullable=True),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("position_side", sa.String(length=10), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.Numeric(), nullable=False),
        sa.Column("client_order_id", sa.String(length=36), nullable=False),
        sa.Column("venue_order_id", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("filled", sa.Numeric(), nullable=False),
        sa.Column("average_price", sa.Numeric(), nullable=True),
        sa.Column("fee", sa.Numeric(), nullable=True),
        sa.Column("fee_asset", sa.String(length=20), nullable=False),
        sa.Column("refusal", sa.String(length=20), nullable=False),
        sa.Column("venue_code", sa.String(length=20), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_orders")),
        sa.UniqueConstraint("client_order_id", name=op.f("uq_copy_orders_client_order_id")),
        schema="trades",
    )
    op.create_index(
        "ix_copy_orders_asked",
        "copy_orders",
        ["id"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("state = 'planned' and leg_id is null"),
    )
    op.create_index(
        "ix_copy_orders_check",
        "copy_orders",
        ["next_check_at"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("next_check_at is not null"),
    )
    op.create_index("ix_copy_orders_leg", "copy_orders", ["leg_id", "id"], unique=False, schema="trades")
    op.create_index(
        op.f("ix_copy_orders_subscription_id"), "copy_orders", ["subscription_id"], unique=False, schema="trades"
    )
    op.create_index(
        "ix_copy_orders_unknown",
        "copy_orders",
        ["created_at"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("state = 'unknown'"),
    )
    op.create_index(
        "ix_copy_orders_unpriced",
        "copy_orders",
        ["ended_at"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("fee is null and filled > 0"),
    )
    op.create_index(
        "uq_copy_orders_live",
        "copy_orders",
        ["leg_id", "purpose"],
        unique=True,
        schema="trades",
        postgresql_where=sa.text("state in ('planned', 'sending', 'unknown', 'placed')"),
    )
    op.create_index(
        "uq_copy_orders_service_key",
        "copy_orders",
        ["exchange_account_id", "service_key"],
        unique=True,
        schema="trades",
        postgresql_where=sa.text("service_key is not null"),
    )
    op.create_table(
        "copy_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("lead_account_id", sa.Uuid(), nullable=False),
        sa.Column("fill_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("asked", sa.Numeric(), nullable=False),
        sa.Column("copied", sa.Numeric(), nullable=False),
        sa.Column("skipped", sa.Numeric(), nullable=False),
        sa.Column("netted", sa.Numeric(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("lead_quantity", sa.Numeric(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("venue_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_parts")),
        schema="trades",
    )
    op.create_index(
        "ix_copy_parts_open",
        "copy_parts",
        ["leg_id"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix_copy_parts_subscriber", "copy_parts", ["subscriber_id", "id"], unique=False, schema="trades")
    op.create_index("uq_copy_parts_change", "copy_parts", ["leg_id", "fill_id", "kind"], unique=True, schema="trades")
    op.create_table(
        "copy_readings",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_copy_readings")),
        schema="trades",
    )
    op.create_index(op.f("ix_copy_readings_due_at"), "copy_readings", ["due_at"], unique=False, schema="trades")
    op.create_table(
        "copy_settings",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("lead_account_id", sa.Uuid(), nullable=False),
        sa.Column("copy_account_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("factor", sa.Numeric(), nullable=False),
        sa.Column("max_order_notional", sa.Numeric(), nullable=True),
        sa.Column("max_position_notional", sa.Numeric(), nullable=True),
        sa.Column("max_total_notional", sa.Numeric(), nullable=True),
        sa.Column("max_open_positions", sa.Integer(), nullable=True),
        sa.Column("max_leverage", sa.Numeric(), nullable=False),
        sa.Column("max_slippage", sa.Numeric(), nullable=True),
        sa.Column("max_entry_age_s", sa.Integer(), nullable=False),
        sa.Column("keeps_margin", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("symbols", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("directions", sa.String(length=10), nullable=False),
        sa.Column("start_mode", sa.String(length=20), nullable=False),
        sa.Column("end_mode", sa.String(length=20), nullable=False),
        sa.Column("started_legs_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_copy_settings")),
        schema="trades",
    )
    op.create_index(
        op.f("ix_copy_settings_copy_account_id"), "copy_settings", ["copy_account_id"], unique=False, schema="trades"
    )
    op.create_index(
        op.f("ix_copy_settings_lead_account_id"), "copy_settings", ["lead_account_id"], unique=False, schema="trades"
    )
    op.create_index(op.f("ix_copy_settings_profile_id"), "copy_settings", ["profile_id"], unique=False, schema="trades")
    op.create_index(
        op.f("ix_copy_settings_subscriber_id"), "copy_settings", ["subscriber_id"], unique=False, schema="trades"
    )
    op.create_table(
        "copy_skips",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_skips")),
        schema="trades",
    )
    op.create_index("ix_copy_skips_part", "copy_skips", ["part_id"], unique=False, schema="trades")
    op.create_table(
        "copy_switches",
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("scope_id", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", name=op.f("pk_copy_switches")),
        schema="trades",
    )
    op.create_table(
        "daily_closes",
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("close", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("venue", "symbol", "day", name=op.f("pk_daily_closes")),
        schema="trades",
    )
    op.create_table(
        "daily_equities",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("equity", sa.Numeric(), nullable=False),
        sa.Column("flow", sa.Numeric(), nullable=False),
        sa.Column("change", sa.Numeric(), nullable=False),
        sa.Column("day_return", sa.Numeric(), nullable=False),
        sa.Column("nav", sa.Numeric(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("is_rebuilt", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_account_id", "day", name=op.f("pk_daily_equities")),
        schema="trades",
    )
    op.create_table(
        "fills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("position_side", sa.String(), nullable=False),
        sa.Column("trade_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("client_order_id", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("fee", sa.Numeric(), nullable=False),
        sa.Column("fee_asset", sa.String(), nullable=False),
        sa.Column("venue_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("is_maker", sa.Boolean(), nullable=False),
        sa.Column("is_liquidation", sa.Boolean(), nullable=False),
        sa.Column("order_quantity", sa.Numeric(), nullable=True),
        sa.Column("order_unit_is_quote", sa.Boolean(), nullable=False),
        sa.Column("position_after", sa.Numeric(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fills")),
        sa.UniqueConstraint(
            "exchange_account_id",
            "market",
            "symbol",
            "trade_id",
            "side",
            name=op.f("uq_fills_exchange_account_id_market_symbol_trade_id_side"),
        ),
        schema="trades",
    )
    op.create_index(
        "ix_fills_account_time", "fills", ["exchange_account_id", "venue_time"], unique=False, schema="trades"
    )
    op.create_index(
        "ix_fills_waiting",
        "fills",
        ["exchange_account_id"],
        unique=False,
        schema="trades",
        postgresql_where=sa.text("planned_at IS NULL AND NOT is_history"),
    )
    op.create_table(
        "lead_positions",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("position_side", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("planned_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marked_before", sa.String(), server_default="", nullable=False),
        sa.Column("seen_quantity", sa.Numeric(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("odd_quantity", sa.Numeric(), nullable=True),
        sa.Column("odd_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rebase_to", sa.Numeric(), nullable=True),
        sa.Column("rebase_price", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("exchange_account_id", "symbol", "position_side", name=op.f("pk_lead_positions")),
        schema="trades",
    )
    op.create_table(
        "legs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("lead_account_id", sa.Uuid(), nullable=False),
        sa.Column("copy_account_id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.String(length=20), nullable=False),
        sa.Column("market", sa.String(length=20), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("position_side", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("target", sa.Numeric(), nullable=False),
        sa.Column("held", sa.Numeric(), nullable=False),
        sa.Column("lots", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lead_orders", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("last_reason", sa.String(length=40), nullable=False),
        sa.Column("waits_for", sa.String(length=20), nullable=False),
        sa.Column("entry_attempts", sa.Integer(), nullable=False),
        sa.Column("exit_attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("enter_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_halted", sa.Boolean(), nullable=False),
        sa.Column("is_ending", sa.Boolean(), nullable=False),
        sa.Column("last_order_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drift_reading", sa.Numeric(), nullable=True),
        sa.Column("drift_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legs")),
        schema="trades",
    )
    op.create_index("ix_legs_copy_account", "legs", ["copy_account_id", "symbol"], unique=False, schema="trades")
    op.create_index(
        "ix_legs_due", "legs", ["due_at"], unique=False, schema="trades", postgresql_where=sa.text("due_at is not null")
    )
    op.create_index(
        "ix_legs_lead", "legs", ["lead_account_id", "symbol", "position_side"], unique=False, schema="trades"
    )
    op.create_index(
        "uq_legs_instrument", "legs", ["subscription_id", "symbol", "position_side"], unique=True, schema="trades"
    )
    op.create_table(
        "round_trips",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("position_side", sa.String(), nullable=False),
        sa.Column("is_long", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("entry_price", sa.Numeric(), nullable=False),
        sa.Column("exit_price", sa.Numeric(), nullable=False),
        sa.Column("entry_notional", sa.Numeric(), nullable=False),
        sa.Column("exit_notional", sa.Numeric(), nullable=False),
        sa.Column("gross", sa.Numeric(), nullable=False),
        sa.Column("fee", sa.Numeric(), nullable=False),
        sa.Column("funding", sa.Numeric(), nullable=False),
        sa.Column("net", sa.Numeric(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("is_liquidated", sa.Boolean(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_trips")),
        schema="trades",
    )
    op.create_index(
        "ix_round_trips_account_closed",
        "round_trips",
        ["exchange_account_id", "closed_at"],
        unique=False,
        schema="trades",
    )
    op.create_index(
        "ix_round_trips_account_symbol",
        "round_trips",
        ["exchange_account_id", "symbol", "opened_at"],
        unique=False,
        schema="trades",
    )
    op.create_table(
        "spoiled_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spoiled_rows")),
        schema="trades",
    )
    op.create_index(
        op.f("ix_spoiled_rows_exchange_account_id"),
        "spoiled_rows",
        ["exchange_account_id"],
        unique=False,
        schema="trades",
    )
    op.create_table(
        "subscription_results",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("copy_account_id", sa.Uuid(), nullable=False),
        sa.Column("base", sa.Numeric(), nullable=True),
        sa.Column("realized", sa.Numeric(), nullable=False),
        sa.Column("unrealized", sa.Numeric(), nullable=False),
        sa.Column("fees", sa.Numeric(), nullable=False),
        sa.Column("net", sa.Numeric(), nullable=False),
        sa.Column("net_return", sa.Float(), nullable=True),
        sa.Column(
            "by_symbol", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("filled", sa.Numeric(), nullable=False),
        sa.Column(
            "book", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_subscription_results")),
        schema="trades",
    )
    op.create_index(
        op.f("ix_subscription_results_copy_account_id"),
        "subscription_results",
        ["copy_account_id"],
        unique=False,
        schema="trades",
    )
    op.create_index(
        op.f("ix_subscription_results_profile_id"),
        "subscription_results",
        ["profile_id"],
        unique=False,
        schema="trades",
    )
    op.create_table(
        "symbols_ready",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("lead_leverage", sa.Integer(), nullable=False),
        sa.Column("own", sa.Numeric(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold", sa.String(length=40), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("exchange_account_id", "symbol", name=op.f("pk_symbols_ready")),
        schema="trades",
    )
    op.create_table(
        "account_equities",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("wallet", sa.Numeric(), nullable=False),
        sa.Column("unrealized_pnl", sa.Numeric(), nullable=False),
        sa.Column("available", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_account_id"],
            ["people.exchange_accounts.id"],
            name=op.f("fk_account_equities_exchange_account_id_exchange_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_account_equities")),
        schema="people",
    )
    op.create_table(
        "account_positions",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("symbol", sa.String(length=60), nullable=False),
        sa.Column("position_side", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("entry_price", sa.Numeric(), nullable=False),
        sa.Column("mark_price", sa.Numeric(), nullable=False),
        sa.Column("unrealized_pnl", sa.Numeric(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=True),
        sa.Column("liquidation_price", sa.Numeric(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_account_id"],
            ["people.exchange_accounts.id"],
            name=op.f("fk_account_positions_exchange_account_id_exchange_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_account_id", "symbol", "position_side", name=op.f("pk_account_positions")),
        schema="people",
    )
    op.create_table(
        "equity_snapshots",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("wallet", sa.Numeric(), nullable=False),
        sa.Column("unrealized_pnl", sa.Numeric(), nullable=False),
        sa.Column("available", sa.Numeric(), nullable=False),
        sa.Column("is_rebuilt", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_account_id"],
            ["people.exchange_accounts.id"],
            name=op.f("fk_equity_snapshots_exchange_account_id_exchange_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_account_id", "read_at", name=op.f("pk_equity_snapshots")),
        schema="people",
    )
    op.create_table(
        "exchange_secrets",
        sa.Column("exchange_account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_account_id"],
            ["people.exchange_accounts.id"],
            name=op.f("fk_exchange_secrets_exchange_account_id_exchange_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_account_id", name=op.f("pk_exchange_secrets")),
        schema="people",
    )
    op.create_index(op.f("ix_exchange_secrets_kek_id"), "exchange_secrets", ["kek_id"], unique=False, schema="people")
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["people.users.id"], name=op.f("fk_user_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
        schema="people",
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False, schema="people")


def downgrade() -> None:
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions", schema="people")
    op.drop_table("user_sessions", schema="people")
    op.drop_index(op.f("ix_exchange_secrets_kek_id"), table_name="exchange_secrets", schema="people")
    op.drop_table("exchange_secrets", schema="people")
    op.drop_table("equity_snapshots", schema="people")
    op.drop_table("account_positions", schema="people")
    op.drop_table("account_equities", schema="people")
    op.drop_table("symbols_ready", schema="trades")
    op.drop_index(op.f("ix_subscription_results_profile_id"), table_name="subscription_results", schema="trades")
    op.drop_index(op.f("ix_subscription_results_copy_account_id"), table_name="subscription_results", schema="trades")
    op.drop_table("subscription_results", schema="trades")
    op.drop_index(op.f("ix_spoiled_rows_exchange_account_id"), table_name="spoiled_rows", schema="trades")
    op.drop_table("spoiled_rows", schema="trades")
    op.drop_index("ix_round_trips_account_symbol", table_name="round_trips", schema="trades")
    op.drop_index("ix_round_trips_account_closed", table_name="round_trips", schema="trades")
    op.drop_table("round_trips", schema="trades")
    op.drop_index("uq_legs_instrument", table_name="legs", schema="trades")
    op.drop_index("ix_legs_lead", table_name="legs", schema="trades")
    op.drop_index("ix_legs_due", table_name="legs", schema="trades", postgresql_where=sa.text("due_at is not null"))
    op.drop_index("ix_legs_copy_account", table_name="legs", schema="trades")
    op.drop_table("legs", schema="trades")
    op.drop_table("lead_positions", schema="trades")
    op.drop_index(
        "ix_fills_waiting",
        table_name="fills",
        schema="trades",
        postgresql_where=sa.text("planned_at IS NULL AND NOT is_history"),
    )
    op.drop_index("ix_fills_account_time", table_name="fills", schema="trades")
    op.drop_table("fills", schema="trades")
    op.drop_table("daily_equities", schema="trades")
    op.drop_table("daily_closes", schema="trades")
    op.drop_table("copy_switches", schema="trades")
    op.drop_index("ix_copy_skips_part", table_name="copy_skips", schema="trades")
    op.drop_table("copy_skips", schema="trades")
    op.drop_index(op.f("ix_copy_settings_subscriber_id"), table_name="copy_settings", schema="trades")
    op.drop_index(op.f("ix_copy_settings_profile_id"), table_name="copy_settings", schema="trades")
    op.drop_index(op.f("ix_copy_settings_lead_account_id"), table_name="copy_settings", schema="trades")
    op.drop_index(op.f("ix_copy_settings_copy_account_id"), table_name="copy_settings", schema="trades")
    op.drop_table("copy_settings", schema="trades")
    op.drop_index(op.f("ix_copy_readings_due_at"), table_name="copy_readings", schema="trades")
    op.drop_table("copy_readings", schema="trades")
    op.drop_index("uq_copy_parts_change", table_name="copy_parts", schema="trades")
    op.drop_index("ix_copy_parts_subscriber", table_name="copy_parts", schema="trades")
    op.drop_index("ix_copy_parts_open", table_name="copy_parts", schema="trades", postgresql_where=sa.text("is_open"))
    op.drop_table("copy_parts", schema="trades")
    op.drop_index(
        "uq_copy_orders_service_key",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("service_key is not null"),
    )
    op.drop_index(
        "uq_copy_orders_live",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("state in ('planned', 'sending', 'unknown', 'placed')"),
    )
    op.drop_index(
        "ix_copy_orders_unpriced",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("fee is null and filled > 0"),
    )
    op.drop_index(
        "ix_copy_orders_unknown",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("state = 'unknown'"),
    )
    op.drop_index(op.f("ix_copy_orders_subscription_id"), table_name="copy_orders", schema="trades")
    op.drop_index("ix_copy_orders_leg", table_name="copy_orders", schema="trades")
    op.drop_index(
        "ix_copy_orders_check",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("next_check_at is not null"),
    )
    op.drop_index(
        "ix_copy_orders_asked",
        table_name="copy_orders",
        schema="trades",
        postgresql_where=sa.text("state = 'planned' and leg_id is null"),
    )
    op.drop_table("copy_orders", schema="trades")
    op.drop_index("ix_copy_order_parts_part", table_name="copy_order_parts", schema="trades")
    op.drop_table("copy_order_parts", schema="trades")
    op.drop_table("copy_notices", schema="trades")
    op.drop_index(op.f("ix_copy_decisions_order_id"), table_name="copy_decisions", schema="trades")
    op.drop_table("copy_decisions", schema="trades")
    op.drop_table("capture_states", schema="trades")
    op.drop_index(op.f("ix_capture_processes_alive_until"), table_name="capture_processes", schema="trades")
    op.drop_table("capture_processes", schema="trades")
    op.drop_index(op.f("ix_capture_leases_owner"), table_name="capture_leases", schema="trades")
    op.drop_table("capture_leases", schema="trades")
    op.drop_table("account_statistics", schema="trades")
    op.drop_table("account_records", schema="trades")
    op.drop_index("ix_account_entries_account_time", table_name="account_entries", schema="trades")
    op.drop_table("account_entries", schema="trades")
    op.drop_index(
        "ix_webhook_events_due",
        table_name="webhook_events",
        schema="people",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_table("webhook_events", schema="people")
    op.drop_table("users", schema="people")
    op.drop_index(
        "uq_subscriptions_open",
        table_name="subscriptions",
        schema="people",
        postgresql_where=sa.text("state in ('incomplete', 'active', 'past_due')"),
    )
    op.drop_index(op.f("ix_subscriptions_trader_id"), table_name="subscriptions", schema="people")
    op.drop_index(op.f("ix_subscriptions_subscriber_id"), table_name="subscriptions", schema="people")
    op.drop_index(op.f("ix_subscriptions_state"), table_name="subscriptions", schema="people")
    op.drop_index(op.f("ix_subscriptions_profile_id"), table_name="subscriptions", schema="people")
    op.drop_index(
        "ix_subscriptions_lead_open",
        table_name="subscriptions",
        schema="people",
        postgresql_where=sa.text("finished_at is null"),
    )
    op.drop_index(op.f("ix_subscriptions_copy_account_id"), table_name="subscriptions", schema="people")
    op.drop_table("subscriptions", schema="people")
    op.drop_index(op.f("ix_secret_requests_requested_at"), table_name="secret_requests", schema="people")
    op.drop_table("secret_requests", schema="people")
    op.drop_index("uq_profiles_name", table_name="profiles", schema="people")
    op.drop_index(
        "uq_profiles_lead_account",
        table_name="profiles",
        schema="people",
        postgresql_where=sa.text("closed_at is null"),
    )
    op.drop_index(op.f("ix_profiles_user_id"), table_name="profiles", schema="people")
    op.drop_index(op.f("ix_profiles_is_published"), table_name="profiles", schema="people")
    op.drop_table("profiles", schema="people")
    op.drop_index(op.f("ix_payment_subscriptions_subscription_id"), table_name="payment_subscriptions", schema="people")
    op.drop_index(op.f("ix_payment_subscriptions_status"), table_name="payment_subscriptions", schema="people")
    op.drop_table("payment_subscriptions", schema="people")
    op.drop_table("payment_prices", schema="people")
    op.drop_table("payment_customers", schema="people")
    op.drop_index(
        "ix_payment_checkouts_due",
        table_name="payment_checkouts",
        schema="people",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_table("payment_checkouts", schema="people")
    op.drop_index(op.f("ix_paid_periods_trader_id"), table_name="paid_periods", schema="people")
    op.drop_index(op.f("ix_paid_periods_subscription_id"), table_name="paid_periods", schema="people")
    op.drop_index(op.f("ix_paid_periods_subscriber_id"), table_name="paid_periods", schema="people")
    op.drop_table("paid_periods", schema="people")
    op.drop_index(op.f("ix_notices_user_id"), table_name="notices", schema="people")
    op.drop_index(
        "ix_notices_unread", table_name="notices", schema="people", postgresql_where=sa.text("read_at is null")
    )
    op.drop_table("notices", schema="people")
    op.drop_table("notice_preferences", schema="people")
    op.drop_index("ix_mails_due", table_name="mails", schema="people", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("mails", schema="people")
    op.drop_index(op.f("ix_ledger_entries_paid_period_id"), table_name="ledger_entries", schema="people")
    op.drop_index(op.f("ix_ledger_entries_account"), table_name="ledger_entries", schema="people")
    op.drop_table("ledger_entries", schema="people")
    op.drop_index(
        "uq_exchange_accounts_fingerprint",
        table_name="exchange_accounts",
        schema="people",
        postgresql_where=sa.text("state IN ('checking', 'active', 'paused')"),
    )
    op.drop_index(op.f("ix_exchange_accounts_user_id"), table_name="exchange_accounts", schema="people")
    op.drop_index(op.f("ix_exchange_accounts_state"), table_name="exchange_accounts", schema="people")
    op.drop_index(op.f("ix_exchange_accounts_snapshot_due_at"), table_name="exchange_accounts", schema="people")
    op.drop_index(op.f("ix_exchange_accounts_fingerprint"), table_name="exchange_accounts", schema="people")
    op.drop_index(op.f("ix_exchange_accounts_check_due_at"), table_name="exchange_accounts", schema="people")
    op.drop_index(op.f("ix_exchange_accounts_changed_at"), table_name="exchange_accounts", schema="people")
    op.drop_table("exchange_accounts", schema="people")
    op.drop_index(op.f("ix_events_user_id"), table_name="events", schema="people")
    op.drop_index(op.f("ix_events_kind"), table_name="events", schema="people")
    op.drop_index(op.f("ix_events_happened_at"), table_name="events", schema="people")
    op.drop_index(op.f("ix_events_handled_at"), table_name="events", schema="people")
    op.drop_index(op.f("ix_events_cause"), table_name="events", schema="people")
    op.drop_table("events", schema="people")
    op.drop_table("clock_offsets", schema="people")
