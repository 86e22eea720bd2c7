"""Where a subscription stands by its money: what Stripe says of it and what became of what was paid."""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.domain.billing import Facts
from copytrade.payments.facts import LATE, SubscriptionTold
from copytrade.payments.ledger_models import Dispute
from copytrade.payments.models import PaidPeriod, StripeSubscription
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions.rows import SubscriptionRow


def facts_of(session: Session, row: StripeSubscription, remote: SubscriptionTold, ours: SubscriptionRow) -> Facts:
    """Return what is known of a subscription's payments, from Stripe's answer and our books."""
    periods = periods_of(session, row.stripe_subscription_id)
    trial_end = remote.trial_end if remote.status == "trialing" else None
    ends = [at for at in (*(one.period_end for one in periods), trial_end) if at is not None]
    facts = Facts(
        created_at=ours.created_at,
        paid_until=max(ends, default=None),
        is_trial=remote.status == "trialing",
        is_late=remote.status in LATE,
        has_given_up=remote.status == "unpaid",
        is_ending=remote.cancel_at_period_end,
        is_gone=remote.status == "canceled",
        is_paused=remote.is_paused,
    )
    return with_money(session, periods, facts)


def periods_of(session: Session, stripe_subscription_id: str) -> Sequence[PaidPeriod]:
    """Return what was paid, newest first."""
    return session.exec(
        select(PaidPeriod)
        .where(PaidPeriod.stripe_subscription_id == stripe_subscription_id)
        .order_by(col(PaidPeriod.period_end).desc())
    ).all()


def with_money(session: Session, periods: Sequence[PaidPeriod], facts: Facts) -> Facts:
    """Add what became of the money: disputed, lost, or all of the running period given back."""
    disputes = session.exec(
        select(Dispute.status, Dispute.is_open).where(col(Dispute.paid_period_id).in_([one.id for one in periods]))
    ).all()
    running = periods[0] if periods and periods[0].period_end > clock.now() else None
    return replace(
        facts,
        is_disputed=any(is_open and not status.startswith("warning") for status, is_open in disputes),
        is_lost=any(status == "lost" for status, _ in disputes),
        is_refunded=running is not None and running.minor > 0 and running.refunded_minor >= running.minor,
    )


def tell_trouble(session: Session, row: StripeSubscription, remote: SubscriptionTold, ours: SubscriptionRow) -> None:
    """Tell a payer of a payment that failed, and of a card that will, once each."""
    facts = {"subscription_id": str(ours.id), "trader": ours.trader_name}
    if remote.failed is not None and remote.failed.attempts and row.failed_told != remote.failed.id:
        row.failed_told = remote.failed.id
        now = subscription_queries.by_ids(session, {ours.id})[ours.id]
        until = now.access_until.isoformat() if now.access_until else ""
        record(session, "payment.failed", user_id=ours.subscriber_id, cause=remote.failed.id, until=until, **facts)
    card = remote.card
    if card is None or remote.cancel_at_period_end or card.expires_at >= remote.period_end:
        return
    which = f"{card.id}:{card.expires_at:%Y-%m}"
    if row.card_told != which:
        row.card_told = which
        record(
            session,
            "payment.card_expires",
            user_id=ours.subscriber_id,
            cause=which,
            last4=card.last4,
            month=f"{card.expires_at:%m/%Y}",
            **facts,
        )
    session.add(row)
