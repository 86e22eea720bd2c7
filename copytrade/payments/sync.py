"""Brings what we hold in line with what Stripe has now: state, never the delta of an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.billing import State
from copytrade.domain.money import major, told
from copytrade.errors import CopyTradeError
from copytrade.payments import facts as reading
from copytrade.payments import gateway, ledger, refunding, standing, taking_back
from copytrade.payments.facts import GONE, Known, SubscriptionTold
from copytrade.payments.gateway import PaidInvoice
from copytrade.payments.models import Checkout, CheckoutState, PaidPeriod, StripeSubscription
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow

_LATEST_CHECK = timedelta(hours=1)


class NotYetKnown(CopyTradeError):
    """An event speaks of something that we may be about to write; asked again a little later."""

    status, code = 409, "not_yet_known"


@dataclass(frozen=True, slots=True)
class Asked:
    """What we know of a subscription when we ask Stripe about it, and since when an answer counts."""

    stripe_subscription_id: str
    ours: UUID | None
    """The subscription of ours that it is for; None where we have not heard of it."""
    known: Known
    at: datetime
    """By the database's clock: an answer that was asked for later is never overwritten by this one."""


def asked(session: Session, stripe_subscription_ids: Sequence[str]) -> list[Asked]:
    """Return how to ask after subscriptions, in one query each for all of them."""
    at = session.exec(select(func.clock_timestamp())).one()
    invoices: dict[str, set[str]] = {id: set() for id in stripe_subscription_ids}
    until: dict[str, datetime] = {}
    for id, invoice, end in session.exec(
        select(PaidPeriod.stripe_subscription_id, PaidPeriod.stripe_invoice_id, PaidPeriod.period_end).where(
            col(PaidPeriod.stripe_subscription_id).in_(stripe_subscription_ids)
        )
    ):
        invoices[id].add(invoice)
        until[id] = max(end, until.get(id, end))
    ours = dict(
        session.exec(
            select(StripeSubscription.stripe_subscription_id, StripeSubscription.subscription_id).where(
                col(StripeSubscription.stripe_subscription_id).in_(stripe_subscription_ids)
            )
        ).all()
    )
    return [
        Asked(id, ours.get(id), Known(frozenset(invoices[id]), until.get(id)), at) for id in stripe_subscription_ids
    ]


def subscription(session: Session, *, stripe_subscription_id: str) -> bool:
    """Read a subscription and its paid invoices again and act on them; False where it is not ours."""
    [asking] = asked(session, [stripe_subscription_id])
    return take_in(session, asking, reading.subscription(stripe_subscription_id, known=asking.known))


def take_in(session: Session, asking: Asked, remote: SubscriptionTold) -> bool:
    """Act on what Stripe answered; False where the subscription is not ours.

    NotYetKnown where it carries an id of ours that we do not find.
    """
    ours_id = asking.ours or remote.our_id
    if ours_id is None:
        return False
    current = subscription_queries.going_on(session, ours_id)
    if current is None:
        raise NotYetKnown(f"subscription {ours_id} of {remote.id} was not found")
    subscriptions.locked(session, current)
    ours = subscription_queries.by_ids(session, {current})[current]
    row = _noted(session, asking, remote, ours)
    if row is None:
        return True
    for invoice in remote.invoices:
        _book(session, row, ours, invoice)
    if row.is_surplus:
        return True
    state = subscriptions.hear(session, subscription_id=ours.id, facts=standing.facts_of(session, row, remote, ours))
    if state is not State.CANCELED:
        standing.tell_trouble(session, row, remote, ours)
    return True


def _noted(
    session: Session, asking: Asked, remote: SubscriptionTold, ours: SubscriptionRow
) -> StripeSubscription | None:
    """Keep what was read; None where something newer was read meanwhile."""
    row = session.get(StripeSubscription, remote.id, with_for_update=True, populate_existing=True)
    if row is not None and row.synced_at > asking.at:
        return None
    if row is None:
        row = StripeSubscription(
            stripe_subscription_id=remote.id,
            subscription_id=ours.id,
            status=remote.status,
            period_end=remote.period_end,
            cancel_at_period_end=remote.cancel_at_period_end,
            is_surplus=_is_surplus(session, remote, ours),
            synced_at=asking.at,
        )
    row.subscription_id, row.status, row.period_end = ours.id, remote.status, remote.period_end
    row.cancel_at_period_end, row.stripe_price_id = remote.cancel_at_period_end, remote.price_id
    off = remote.discount
    row.off_percent, row.off_minor = (off.percent, off.minor) if off else (None, None)
    row.off_until, row.synced_at = (off.until if off else None), asking.at
    session.add(row)
    return row


def _is_surplus(session: Session, remote: SubscriptionTold, ours: SubscriptionRow) -> bool:
    """Say whether another one at Stripe is paid for this subscription already: it was paid twice."""
    other = session.exec(
        select(StripeSubscription.stripe_subscription_id).where(
            StripeSubscription.subscription_id == ours.id,
            col(StripeSubscription.status).not_in((*GONE, "incomplete")),
            col(StripeSubscription.is_surplus).is_(False),
        )
    ).first()
    if other is None or remote.status in (*GONE, "incomplete"):
        return False
    record(session, "alarm.paid_twice", cause=remote.id, subscription_id=ours.id, first=other, second=remote.id)
    return True


def _book(session: Session, row: StripeSubscription, ours: SubscriptionRow, invoice: PaidInvoice) -> None:
    if not ledger.book_paid(session, subscription=ours, invoice=invoice):
        return
    of_invoice = col(PaidPeriod.stripe_invoice_id) == invoice.id
    told_of = {
        "stripe_subscription_id": row.stripe_subscription_id,
        "invoice_number": invoice.number,
        "invoice_page_url": invoice.page_url,
        "invoice_pdf_url": invoice.pdf_url,
    }
    session.connection().execute(update(PaidPeriod).where(of_invoice).values(told_of))
    is_after_end = ours.ended_at is not None and invoice.paid_at > ours.ended_at
    if row.is_surplus or is_after_end:
        period = session.exec(select(PaidPeriod).where(of_invoice)).one()
        refunding.plan(session, period, minor=period.minor, reason="surplus" if row.is_surplus else "after_end")
    if invoice.minor:
        record(
            session,
            "payment.taken",
            user_id=ours.subscriber_id,
            cause=invoice.id,
            trader=ours.trader_name,
            amount=told(major(invoice.minor, currency=invoice.currency), currency=invoice.currency),
            until=invoice.period_end.isoformat(),
        )
    ring(session, f"user:{ours.trader_id}", f"user:{ours.subscriber_id}")


def checkout(session: Session, *, stripe_session_id: str) -> bool:
    """Read a payment page again; a paid one brings its subscription up to date. False where it is not ours."""
    row = session.exec(
        select(Checkout).where(Checkout.stripe_session_id == stripe_session_id).with_for_update()
    ).first()
    page = gateway.checkout(stripe_session_id)
    if row is None:
        if page.our_id is not None:
            raise NotYetKnown(f"payment page {stripe_session_id} was not found")
        return False
    row.state = CheckoutState(page.status)
    now = clock.real_now()
    row.check_at = now + min(max(now - row.created_at, timedelta(seconds=15)), _LATEST_CHECK)
    session.add(row)
    if page.stripe_subscription_id:
        subscription(session, stripe_subscription_id=page.stripe_subscription_id)
    return True


def refund(session: Session, *, charge_id: str) -> bool:
    """Book what Stripe gave back of a charge; a period that was refunded wholly ends its subscription."""
    period = taking_back.refunds(session, charge_id=charge_id)
    if period is None:
        # The refund may be told before the payment itself.
        stripe_id = reading.subscription_of(charge_id)
        if not stripe_id or not subscription(session, stripe_subscription_id=stripe_id):
            return False
        period = taking_back.refunds(session, charge_id=charge_id)
    if period is None:
        return False
    if period.refunded_minor:
        ours = subscription_queries.by_ids(session, {period.subscription_id})[period.subscription_id]
        record(
            session,
            "payment.refunded",
            user_id=period.subscriber_id,
            cause=f"{period.id}:{period.refunded_minor}",
            trader=ours.trader_name,
            amount=told(major(period.refunded_minor, currency=period.currency), currency=period.currency),
        )
    _weigh(session, period)
    return True


def dispute(session: Session, *, dispute_id: str, charge_id: str) -> bool:
    """Book what a bank took, gave back or keeps; while it decides nothing is opened for the payer."""
    row = taking_back.dispute(session, dispute_id=dispute_id)
    if row.paid_period_id is None:
        stripe_id = reading.subscription_of(charge_id)
        if not stripe_id or not subscription(session, stripe_subscription_id=stripe_id):
            return False
        row = taking_back.dispute(session, dispute_id=dispute_id)
    if row.paid_period_id is not None:
        _weigh(session, session.get_one(PaidPeriod, row.paid_period_id))
    return True


def _weigh(session: Session, period: PaidPeriod) -> None:
    """Let a subscription stand where the money of its periods says."""
    current = subscription_queries.going_on(session, period.subscription_id)
    if current is None or not period.stripe_subscription_id:
        return
    row = session.get_one(StripeSubscription, period.stripe_subscription_id)
    if row.is_surplus:
        return
    session.flush()
    facts = standing.with_money(
        session,
        standing.periods_of(session, period.stripe_subscription_id),
        subscriptions.facts(session, subscription_id=current),
    )
    subscriptions.hear(session, subscription_id=current, facts=facts)


def locked_remote(session: Session, subscription_id: UUID) -> StripeSubscription | None:
    """Return what Stripe bills for a subscription of ours, locked; None where nothing is billed any more."""
    return session.exec(
        select(StripeSubscription)
        .where(
            StripeSubscription.subscription_id == subscription_id,
            col(StripeSubscription.status).not_in(GONE),
            col(StripeSubscription.is_surplus).is_(False),
        )
        .with_for_update()
    ).first()
