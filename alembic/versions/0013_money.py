"""Money: states, trials, consents and coupons of subscriptions; the ledger in minor units, payouts, differences."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN = "state in ('incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'disputed')"
_OPEN_BEFORE = "state in ('incomplete', 'active', 'past_due')"

FACTOR = """
(case when currency in ('bif','clp','djf','gnf','jpy','kmf','krw','mga','pyg','rwf','vnd','vuv','xaf','xof','xpf')
 then 1 when currency in ('bhd','jod','kwd','omr','tnd') then 1000 else 100 end)
"""
APPEND_ONLY = """
create function people.ledger_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'entries of the ledger are never changed and never deleted' using errcode = 'restrict_violation';
end $$
"""
BALANCES = """
create function people.ledger_balances() returns trigger language plpgsql as $$
begin
  if exists (
    select 1 from people.ledger_entries where booking = new.booking group by currency having sum(minor) <> 0
  ) then
    raise exception 'booking % does not add up to zero', new.booking using errcode = 'check_violation';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _subscriptions()
    _selling()
    _moneys()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _moneys_back()
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
        _flag("must_end"),
        sa.Column("end_reason", sa.String(length=20), nullable=False, server_default=""),
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
        "trial_days", "is_trial", "is_late", "has_given_up", "is_held", "is_disputed", "must_end", "end_reason",
        "next_price", "next_price_from",
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
    for name in ("failed_told", "card_told"):
        op.add_column(
            "payment_subscriptions", sa.Column(name, sa.String(), nullable=False, server_default=""), schema="people"
        )
    op.add_column("payment_subscriptions", _flag("is_surplus"), schema="people")
    op.add_column(
        "webhook_events", sa.Column("target", sa.String(), nullable=False, server_default=""), schema="people"
    )
    op.create_index(
        "ix_webhook_events_target",
        "webhook_events",
        ["target"],
        schema="people",
        postgresql_where=sa.text("state = 'pending'"),
    )
    for name in ("stripe_subscription_id", "invoice_number", "invoice_page_url", "invoice_pdf_url"):
        op.add_column("paid_periods", sa.Column(name, sa.String(), nullable=False, server_default=""), schema="people")
    op.create_index(
        op.f("ix_paid_periods_stripe_subscription_id"), "paid_periods", ["stripe_subscription_id"], schema="people"
    )
    op.execute(
        "UPDATE people.paid_periods period SET stripe_subscription_id = known.stripe_subscription_id"
        " FROM people.payment_subscriptions known WHERE known.subscription_id = period.subscription_id"
    )
    op.create_table(
        "payment_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("paid_period_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stripe_refund_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        _moment("try_at", nullable=False),
        _moment("created_at", nullable=False),
        _moment("done_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refunds")),
        sa.UniqueConstraint("paid_period_id", "reason", name=op.f("uq_payment_refunds_paid_period_id_reason")),
        schema="people",
    )
    op.create_index(op.f("ix_payment_refunds_subscription_id"), "payment_refunds", ["subscription_id"], schema="people")
    op.create_index(
        "ix_payment_refunds_due",
        "payment_refunds",
        ["try_at"],
        schema="people",
        postgresql_where=sa.text("state = 'planned'"),
    )


def _selling_back() -> None:
    op.drop_table("payment_refunds", schema="people")
    op.drop_index("ix_webhook_events_target", "webhook_events", schema="people")
    op.drop_column("webhook_events", "target", schema="people")
    op.drop_index(op.f("ix_paid_periods_stripe_subscription_id"), "paid_periods", schema="people")
    for column in ("stripe_subscription_id", "invoice_number", "invoice_page_url", "invoice_pdf_url"):
        op.drop_column("paid_periods", column, schema="people")
    for column in (
        "stripe_price_id", "off_percent", "off_minor", "off_until", "failed_told", "card_told", "is_surplus",
    ):  # fmt: skip
        op.drop_column("payment_subscriptions", column, schema="people")
    op.drop_column("payment_checkouts", "coupon_id", schema="people")
    op.drop_table("coupons", schema="people")


def _moneys() -> None:
    """Make money whole minor units, the ledger append-only, and room for payouts, disputes and differences."""
    _periods_in_minor()
    _ledger_in_minor()
    _guard_ledger()
    _shares_and_disputes()
    _payouts()
    _differences()


def _moneys_back() -> None:
    for table in ("money_differences", "payout_reversals", "payout_lines", "payouts", "payout_accounts", "disputes"):
        op.drop_table(table, schema="people")
    op.drop_table("trader_shares", schema="people")
    _ledger_in_decimals()
    _periods_in_decimals()


def _periods_in_minor() -> None:
    table = "paid_periods"
    _turn(table, {"amount": "minor", "platform_part": "platform_minor", "trader_part": "trader_minor"})
    _turn(table, {"refunded": "refunded_minor"})
    _add_filled(table, "lost_minor", sa.BigInteger(), "0")
    _add_filled(table, "stripe_payment_intent_id", sa.String(), "''")
    op.drop_index("ix_paid_periods_trader_id", table_name=table, schema="people")
    op.create_index(
        "ix_paid_periods_trader_time",
        table,
        ["trader_id", "paid_at"],
        schema="people",
        postgresql_include=["currency", "minor", "platform_minor", "trader_minor"],
    )
    op.create_index("ix_paid_periods_paid_at", table, ["paid_at"], schema="people")
    op.create_index("ix_paid_periods_stripe_payment_intent_id", table, ["stripe_payment_intent_id"], schema="people")


def _periods_in_decimals() -> None:
    table = "paid_periods"
    for index in ("stripe_payment_intent_id", "paid_at", "trader_time"):
        op.drop_index(f"ix_paid_periods_{index}", table_name=table, schema="people")
    op.create_index("ix_paid_periods_trader_id", table, ["trader_id"], schema="people")
    op.drop_column(table, "stripe_payment_intent_id", schema="people")
    op.drop_column(table, "lost_minor", schema="people")
    _turn_back(table, {"minor": "amount", "platform_minor": "platform_part", "trader_minor": "trader_part"})
    _turn_back(table, {"refunded_minor": "refunded"})


def _ledger_in_minor() -> None:
    table = "ledger_entries"
    _turn(table, {"amount": "minor"})
    _add_filled(table, "kind", sa.String(), "split_part(booking, ':', 1)")
    _add_filled(table, "happened_at", sa.DateTime(timezone=True), "booked_at")
    op.execute("update people.ledger_entries set account = 'stripe' where account = 'cash'")
    op.alter_column(table, "paid_period_id", nullable=True, schema="people")
    op.drop_index("ix_ledger_entries_account", table_name=table, schema="people")
    op.create_index(
        "ix_ledger_entries_account_time",
        table,
        ["account", "currency", "happened_at"],
        schema="people",
        postgresql_include=["minor", "paid_period_id", "available_at"],
    )
    op.create_index(
        "ix_ledger_entries_taken",
        table,
        ["account", "happened_at"],
        schema="people",
        postgresql_include=["kind", "currency", "minor"],
        postgresql_where=sa.text("kind not in ('paid', 'payout', 'payout_canceled', 'reversal')"),
    )
    op.create_index("ix_ledger_entries_available", table, ["account", "available_at"], schema="people")


def _guard_ledger() -> None:
    op.execute(APPEND_ONLY)
    op.execute(BALANCES)
    op.execute(
        "create trigger ledger_append_only before update or delete on people.ledger_entries"
        " for each row execute function people.ledger_append_only()"
    )
    op.execute(
        "create constraint trigger ledger_balances after insert on people.ledger_entries"
        " deferrable initially deferred for each row execute function people.ledger_balances()"
    )


def _ledger_in_decimals() -> None:
    table = "ledger_entries"
    for name in ("append_only", "balances"):
        op.execute(f"drop trigger ledger_{name} on people.ledger_entries")
        op.execute(f"drop function people.ledger_{name}")
    # What has no period has no place in the tables of before: payouts and what Stripe kept.
    op.execute("delete from people.ledger_entries where paid_period_id is null")
    op.execute("update people.ledger_entries set account = 'cash' where account = 'stripe'")
    for index in ("taken", "available", "account_time"):
        op.drop_index(f"ix_ledger_entries_{index}", table_name=table, schema="people")
    op.create_index("ix_ledger_entries_account", table, ["account"], schema="people")
    op.alter_column(table, "paid_period_id", nullable=False, schema="people")
    op.drop_column(table, "happened_at", schema="people")
    op.drop_column(table, "kind", schema="people")
    _turn_back(table, {"minor": "amount"})


def _shares_and_disputes() -> None:
    op.create_table(
        "trader_shares",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trader_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.Numeric(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        _moment("set_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trader_shares")),
        schema="people",
    )
    op.create_index("ix_trader_shares_newest", "trader_shares", ["trader_id", "set_at"], schema="people")
    op.create_table(
        "disputes",
        sa.Column("stripe_dispute_id", sa.String(), nullable=False),
        sa.Column("stripe_charge_id", sa.String(), nullable=False),
        sa.Column("paid_period_id", sa.Uuid(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        _moment("evidence_due_at"),
        _moment("opened_at", nullable=False),
        _moment("closed_at"),
        _moment("synced_at", nullable=False),
        sa.PrimaryKeyConstraint("stripe_dispute_id", name=op.f("pk_disputes")),
        schema="people",
    )
    op.create_index(op.f("ix_disputes_paid_period_id"), "disputes", ["paid_period_id"], schema="people")
    op.create_index(op.f("ix_disputes_opened_at"), "disputes", ["opened_at"], schema="people")
    op.create_index(
        "ix_disputes_open", "disputes", ["paid_period_id"], schema="people", postgresql_where=sa.text("is_open")
    )


def _payouts() -> None:
    op.create_table(
        "payout_accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_account_id", sa.String(), nullable=False),
        sa.Column("payouts_enabled", sa.Boolean(), nullable=False),
        sa.Column("transfers_enabled", sa.Boolean(), nullable=False),
        sa.Column("details_submitted", sa.Boolean(), nullable=False),
        sa.Column("requirements", postgresql.JSONB(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=False),
        _moment("created_at", nullable=False),
        _moment("synced_at", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_payout_accounts")),
        sa.UniqueConstraint("stripe_account_id", name=op.f("uq_payout_accounts_stripe_account_id")),
        schema="people",
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trader_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stripe_account_id", sa.String(), nullable=False),
        sa.Column("stripe_transfer_id", sa.String(), nullable=False),
        *_tries(),
        _moment("created_at", nullable=False),
        _moment("sent_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        schema="people",
    )
    op.create_index("ix_payouts_trader", "payouts", ["trader_id", "created_at"], schema="people")
    _index_planned("payouts")
    op.create_table(
        "payout_lines",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("payout_id", "entry_id", name=op.f("pk_payout_lines")),
        schema="people",
    )
    op.create_index(
        "uq_payout_lines_live",
        "payout_lines",
        ["entry_id"],
        unique=True,
        schema="people",
        postgresql_where=sa.text("is_live"),
    )
    _reversals()


def _reversals() -> None:
    table = "payout_reversals"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("trader_id", sa.Uuid(), nullable=False),
        sa.Column("paid_period_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stripe_reversal_id", sa.String(), nullable=False),
        *_tries(),
        _moment("created_at", nullable=False),
        _moment("done_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_reversals")),
        sa.UniqueConstraint("cause", name=op.f("uq_payout_reversals_cause")),
        schema="people",
    )
    op.create_index(op.f("ix_payout_reversals_payout_id"), table, ["payout_id"], schema="people")
    _index_planned(table)


def _tries() -> "tuple[sa.Column[object], ...]":
    return (
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        _moment("try_at", nullable=False),
    )


def _index_planned(table: str) -> None:
    where = sa.text("state = 'planned'")
    op.create_index(f"ix_{table}_due", table, ["try_at"], schema="people", postgresql_where=where)


def _differences() -> None:
    table = "money_differences"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stripe_id", sa.String(), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        _moment("found_at", nullable=False),
        _moment("resolved_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_differences")),
        schema="people",
    )
    op.create_index(op.f("ix_money_differences_found_at"), table, ["found_at"], schema="people")
    op.create_index(
        "uq_money_differences_open",
        table,
        ["kind", "stripe_id"],
        unique=True,
        schema="people",
        postgresql_where=sa.text("resolved_at is null"),
    )


def _turn(table: str, columns: dict[str, str]) -> None:
    """Turn amounts into whole minor units under a new name."""
    for old, new in columns.items():
        _add_filled(table, new, sa.BigInteger(), f"round({old} * {FACTOR})")
        op.drop_column(table, old, schema="people")


def _turn_back(table: str, columns: dict[str, str]) -> None:
    for old, new in columns.items():
        _add_filled(table, new, sa.Numeric(), f"{old}::numeric / {FACTOR}")
        op.drop_column(table, old, schema="people")


def _add_filled(table: str, name: str, kind: "sa.types.TypeEngine[Any]", value: str) -> None:
    op.add_column(table, sa.Column(name, kind, nullable=True), schema="people")
    op.execute(f"update people.{table} set {name} = {value}")  # noqa: S608 - names and values are of this file
    op.alter_column(table, name, nullable=False, schema="people")
