"""Refunds that we make: planned with what causes them, then asked of Stripe once, whatever dies in between."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.money import major, told
from copytrade.domain.terms import unused_part
from copytrade.payments import gateway_selling as gateway
from copytrade.payments.gateway import PaymentsRefused, PaymentsUnavailable
from copytrade.payments.models import PaidPeriod
from copytrade.payments.selling_models import RefundMade, RefundState

log = structlog.get_logger()
_LEASE = timedelta(seconds=90)
_LONGEST_PAUSE = timedelta(hours=1)


def plan(session: Session, period: PaidPeriod, *, minor: int, reason: str) -> bool:
    """Note that so much of a period goes back to its payer; False where that was noted, or nothing is left."""
    minor = min(minor, left_of(period))
    if minor <= 0 or not period.stripe_payment_intent_id:
        return False
    values = {
        "id": new_id(),
        "paid_period_id": period.id,
        "subscription_id": period.subscription_id,
        "minor": minor,
        "currency": period.currency,
        "reason": reason,
        "state": RefundState.PLANNED,
        "stripe_refund_id": "",
        "attempts": 0,
        "error": "",
        "try_at": clock.real_now(),
        "created_at": clock.now(),
    }
    statement = insert(RefundMade).values(values).on_conflict_do_nothing(index_elements=["paid_period_id", "reason"])
    is_new = session.connection().execute(statement.returning(col(RefundMade.id))).first() is not None
    ring(session, "billing")
    return is_new


def plan_unused(session: Session, *, stripe_subscription_id: str, ended_at: datetime) -> None:
    """Note that the whole days of the running period that are left go back."""
    periods = session.exec(
        select(PaidPeriod).where(
            PaidPeriod.stripe_subscription_id == stripe_subscription_id, col(PaidPeriod.period_end) > ended_at
        )
    ).all()
    for period in periods:
        plan(session, period, minor=unused_of(period, at=ended_at), reason="unused")


def left_of(period: PaidPeriod) -> int:
    """Return what of a period has not gone back yet."""
    return period.minor - period.refunded_minor - period.lost_minor


def unused_of(period: PaidPeriod, *, at: datetime) -> int:
    """Return what the whole days of a period that are left at a moment are worth."""
    days = (period.period_end - period.period_start).days
    unused = min(days, max(0, (period.period_end - at).days))
    return unused_part(period.minor, days=days, unused=unused) if days else 0


def work_off() -> int:
    """Ask Stripe for the refunds that are due, each in steps of its own; return how many were tried."""
    done = 0
    while (claimed := _claim()) is not None:
        _make(*claimed)
        done += 1
    return done


def _claim() -> tuple[RefundMade, str] | None:
    with transaction() as session:
        row = session.exec(
            select(RefundMade)
            .where(RefundMade.state == RefundState.PLANNED, col(RefundMade.try_at) <= clock.real_now())
            .order_by(col(RefundMade.try_at), col(RefundMade.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return None
        row.attempts += 1
        row.try_at = clock.real_now() + _LEASE
        session.add(row)
        return row, session.get_one(PaidPeriod, row.paid_period_id).stripe_payment_intent_id


def _make(row: RefundMade, payment_intent_id: str) -> None:
    # Stripe forgets keys after a day: a refund that was made before is found by what it carries.
    try:
        made = gateway.refund_of(payment_intent_id, our_id=row.id) if row.attempts > 1 else ""
        made = made or gateway.create_refund(payment_intent_id, our_id=row.id, minor=row.minor)
    except PaymentsRefused as error:
        _note(row.id, error=error.message, state=RefundState.REFUSED)
    except PaymentsUnavailable as error:
        log.warning("refund.again_later", refund=str(row.id), reason=error.message)
        pause = min(timedelta(seconds=2.0 ** min(row.attempts, 20)), _LONGEST_PAUSE)
        _note(row.id, error=error.message, state=RefundState.PLANNED, again_in=pause)
    else:
        _note(row.id, state=RefundState.DONE, stripe_refund_id=made)


def _note(
    id: UUID, *, state: RefundState, error: str = "", stripe_refund_id: str = "", again_in: timedelta = timedelta(0)
) -> None:
    with transaction() as session:
        row = session.get_one(RefundMade, id, with_for_update=True)
        row.state, row.error, row.stripe_refund_id = state, error, stripe_refund_id
        row.try_at = clock.real_now() + again_in
        row.done_at = None if state is RefundState.PLANNED else clock.now()
        session.add(row)
        if state is RefundState.REFUSED:
            amount = told(major(row.minor, currency=row.currency), currency=row.currency)
            record(session, "alarm.refund_refused", cause=str(row.id), refund=row.id, amount=amount, error=error)
