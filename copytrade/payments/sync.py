"""Brings what we hold in line with what Stripe has now: state, never the delta of an event."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.payments import gateway, ledger
from copytrade.payments.models import Checkout, CheckoutState, StripeSubscription
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions

GONE = ("canceled", "incomplete_expired")
_LATEST_CHECK = timedelta(hours=1)


def subscription(session: Session, *, stripe_subscription_id: str) -> bool:
    """Read a subscription and its paid invoices again and act on them; False where it is not ours."""
    known = session.get(StripeSubscription, stripe_subscription_id)
    our_id = known.subscription_id if known else gateway.subscription(stripe_subscription_id).our_id
    ours = subscription_queries.by_ids(session, {our_id}) if our_id else {}
    if our_id is None or our_id not in ours:
        return False
    subscriptions.locked(session, our_id)
    remote = gateway.subscription(stripe_subscription_id)
    row = session.get(StripeSubscription, stripe_subscription_id) or StripeSubscription(
        stripe_subscription_id=stripe_subscription_id,
        subscription_id=our_id,
        status=remote.status,
        period_end=remote.period_end,
        cancel_at_period_end=remote.cancel_at_period_end,
        synced_at=clock.now(),
    )
    row.status, row.period_end, row.synced_at = remote.status, remote.period_end, clock.now()
    row.cancel_at_period_end = remote.cancel_at_period_end
    session.add(row)
    _paid_periods(session, our_id, stripe_subscription_id)
    ending = remote.cancel_at_period_end or remote.status in GONE
    subscriptions.set_ending(session, subscription_id=our_id, is_ending=ending)
    if remote.status in ("past_due", "unpaid"):
        subscriptions.mark_past_due(session, subscription_id=our_id)
    return True


def _paid_periods(session: Session, our_id: UUID, stripe_subscription_id: str) -> None:
    ours = subscription_queries.by_ids(session, {our_id})[our_id]
    invoices = gateway.paid_invoices(stripe_subscription_id)
    for invoice in reversed(invoices):
        if ledger.book_paid(session, subscription=ours, invoice=invoice):
            ring(session, f"user:{ours.trader_id}", f"user:{ours.subscriber_id}")
    if invoices:
        until = max(invoice.period_end for invoice in invoices)
        subscriptions.entitle(session, subscription_id=our_id, until=until)


def checkout(session: Session, *, stripe_session_id: str) -> bool:
    """Read a payment page again; a paid one brings its subscription up to date. False where it is not ours."""
    row = session.exec(
        select(Checkout).where(Checkout.stripe_session_id == stripe_session_id).with_for_update()
    ).first()
    if row is None:
        return False
    page = gateway.checkout(stripe_session_id)
    row.state = CheckoutState(page.status)
    now = clock.real_now()
    row.check_at = now + min(max(now - row.created_at, timedelta(seconds=15)), _LATEST_CHECK)
    session.add(row)
    if page.stripe_subscription_id:
        subscription(session, stripe_subscription_id=page.stripe_subscription_id)
    return True


def refund(session: Session, *, charge_id: str) -> bool:
    """Book what Stripe gave back; a period that was refunded wholly ends its subscription."""
    invoice_id, refunded = gateway.refunded(charge_id)
    period = ledger.book_refund(session, invoice_id=invoice_id, refunded=refunded) if invoice_id else None
    if period is None:
        return False
    ring(session, f"user:{period.trader_id}", f"user:{period.subscriber_id}")
    if period.refunded == period.amount and period.period_end > clock.now():
        subscriptions.revoke(session, subscription_id=period.subscription_id)
    return True


def payment_failed(session: Session, *, stripe_subscription_id: str, invoice_id: str) -> bool:
    """Tell the payer that a renewal could not be charged, once per invoice."""
    if not subscription(session, stripe_subscription_id=stripe_subscription_id):
        return False
    row = session.get_one(StripeSubscription, stripe_subscription_id)
    ours = subscription_queries.by_ids(session, {row.subscription_id})[row.subscription_id]
    if ours.state == "past_due":
        record(
            session,
            "payment.failed",
            user_id=ours.subscriber_id,
            cause=invoice_id,
            subscription_id=ours.id,
            trader=ours.trader_name,
            until=ours.access_until.isoformat() if ours.access_until else "",
        )
    return True


def ended_here(session: Session, *, everything: bool) -> int:
    """End at Stripe what has ended here, and close its open payment pages; return how many calls that took."""
    done = 0
    ended = subscription_queries.ended_ids(session, since=None if everything else clock.now() - timedelta(days=2))
    live = session.exec(
        select(StripeSubscription).where(
            col(StripeSubscription.subscription_id).in_(ended), col(StripeSubscription.status).not_in(GONE)
        )
    )
    for row in live:
        gateway.cancel(row.stripe_subscription_id)
        row.status = "canceled"
        session.add(row)
        done += 1
    pages = session.exec(
        select(Checkout).where(col(Checkout.subscription_id).in_(ended), Checkout.state == CheckoutState.OPEN)
    )
    for page in pages:
        if gateway.checkout(page.stripe_session_id).status == CheckoutState.OPEN:
            gateway.expire_checkout(page.stripe_session_id)
        page.state = CheckoutState.EXPIRED
        session.add(page)
        done += 1
    return done
