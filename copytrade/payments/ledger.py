"""The ledger: each booking's entries add up to zero; a booking is written once."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain.terms import Shares, split, taken_back
from copytrade.payments.gateway import PaidInvoice
from copytrade.payments.models import LedgerEntry, PaidPeriod
from copytrade.settings import settings
from copytrade.subscriptions.rows import SubscriptionRow

CASH = "cash"
PLATFORM = "platform"


def trader_account(user_id: UUID) -> str:
    """Return the account that holds what we owe a trader."""
    return f"trader:{user_id}"


def book_paid(session: Session, *, subscription: SubscriptionRow, invoice: PaidInvoice) -> bool:
    """Write a paid period and its booking; False where that was done before."""
    shares = split(invoice.amount, platform_share=settings().platform_share)
    values = {
        "id": new_id(),
        "stripe_invoice_id": invoice.id,
        "subscription_id": subscription.id,
        "subscriber_id": subscription.subscriber_id,
        "trader_id": subscription.trader_id,
        "amount": invoice.amount,
        "currency": invoice.currency,
        "platform_part": shares.platform,
        "trader_part": shares.trader,
        "refunded": Decimal(0),
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "paid_at": invoice.paid_at,
    }
    period = PaidPeriod.model_validate(values)
    statement = insert(PaidPeriod).values(values).on_conflict_do_nothing(index_elements=["stripe_invoice_id"])
    if session.connection().execute(statement.returning(col(PaidPeriod.id))).first() is None:
        return False
    _book(
        session,
        f"paid:{invoice.id}",
        period,
        cash=invoice.amount,
        parts=shares,
        available_at=_available_at(period),
    )
    return True


def book_refund(session: Session, *, invoice_id: str, refunded: Decimal) -> PaidPeriod | None:
    """Book what was given back of a paid period in all; return the period, None where it is not ours."""
    period = session.exec(
        select(PaidPeriod).where(PaidPeriod.stripe_invoice_id == invoice_id).with_for_update()
    ).first()
    if period is None or refunded <= period.refunded:
        return period
    paid = Shares(platform=period.platform_part, trader=period.trader_part)
    before = taken_back(paid, refunded=period.refunded)
    after = taken_back(paid, refunded=refunded)
    parts = Shares(platform=before.platform - after.platform, trader=before.trader - after.trader)
    _book(
        session,
        f"refund:{invoice_id}:{refunded}",
        period,
        cash=period.refunded - refunded,
        parts=parts,
        available_at=_available_at(period),
    )
    period.refunded = refunded
    session.add(period)
    return period


def _available_at(period: PaidPeriod) -> datetime:
    return period.paid_at + timedelta(days=settings().payout_hold_days)


def _book(
    session: Session, booking: str, period: PaidPeriod, *, cash: Decimal, parts: Shares, available_at: datetime
) -> None:
    sums = {CASH: cash, PLATFORM: -parts.platform, trader_account(period.trader_id): -parts.trader}
    if sum(sums.values()) != 0:
        raise ArithmeticError(f"booking {booking} does not add up: {sums}")
    for account, amount in sums.items():
        session.add(
            LedgerEntry(
                booking=booking,
                account=account,
                amount=amount,
                currency=period.currency,
                paid_period_id=period.id,
                available_at=available_at,
                booked_at=clock.now(),
            )
        )
    session.flush()
