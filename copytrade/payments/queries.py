"""What shows payments and earnings."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade.domain.money import major
from copytrade.payments.entries import Balance, balances_of
from copytrade.payments.models import InboxState, PaidPeriod, WebhookEvent
from copytrade.payments.rows import EarningRow, Earnings, FailedEvent, InboxNumbers, PaymentRow
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions


def payments_of(session: Session, *, owner: UUID) -> list[PaymentRow]:
    """Return what a person paid, newest first."""
    rows = session.exec(
        select(PaidPeriod).where(PaidPeriod.subscriber_id == owner).order_by(col(PaidPeriod.paid_at).desc())
    ).all()
    names = subscriptions.by_ids(session, {row.subscription_id for row in rows})
    return [
        PaymentRow(
            id=row.id,
            subscription_id=row.subscription_id,
            trader_name=names[row.subscription_id].trader_name,
            amount=major(row.minor, currency=row.currency),
            refunded=major(row.refunded_minor, currency=row.currency),
            currency=row.currency,
            period_start=row.period_start,
            period_end=row.period_end,
            paid_at=row.paid_at,
            number=row.invoice_number,
            page_url=row.invoice_page_url,
            pdf_url=row.invoice_pdf_url,
        )
        for row in rows
    ]


def earnings_of(session: Session, *, owner: UUID, limit: int = 50) -> Earnings:
    """Return a trader's balance in the installation's currency, with the newest payments of his subscribers."""
    currency = settings().currency
    found = {balance.currency: balance for balance in balances_of(session, trader_id=owner)}
    balance = found.get(currency, Balance(currency, 0, 0, 0))
    hold = timedelta(days=settings().payout_hold_days)
    rows = session.exec(
        select(PaidPeriod).where(PaidPeriod.trader_id == owner).order_by(col(PaidPeriod.paid_at).desc()).limit(limit)
    ).all()
    return Earnings(
        total=major(balance.total, currency=currency),
        held=major(balance.held, currency=currency),
        available=major(balance.available, currency=currency),
        currency=currency,
        rows=tuple(
            EarningRow(
                id=row.id,
                amount=major(row.minor, currency=row.currency),
                platform_part=major(row.platform_minor, currency=row.currency),
                trader_part=major(row.trader_minor, currency=row.currency),
                refunded=major(row.refunded_minor, currency=row.currency),
                currency=row.currency,
                period_start=row.period_start,
                period_end=row.period_end,
                paid_at=row.paid_at,
                available_at=row.paid_at + hold,
            )
            for row in rows
        ),
    )


def inbox_numbers(session: Session) -> InboxNumbers:
    """Return how many webhooks wait or failed, for operators."""
    counts = dict(session.exec(select(WebhookEvent.state, func.count()).group_by(col(WebhookEvent.state))).all())
    oldest = session.exec(
        select(func.min(WebhookEvent.received_at)).where(WebhookEvent.state == InboxState.PENDING)
    ).one()
    return InboxNumbers(counts.get(InboxState.PENDING, 0), counts.get(InboxState.FAILED, 0), oldest)


def failed_events(session: Session, *, limit: int = 50) -> list[FailedEvent]:
    """Return the webhooks that were given up, newest first, for operators."""
    rows = session.exec(
        select(WebhookEvent)
        .where(WebhookEvent.state == InboxState.FAILED)
        .order_by(col(WebhookEvent.received_at).desc())
        .limit(limit)
    )
    return [FailedEvent(row.id, row.type, row.attempts, row.error, row.received_at) for row in rows]
