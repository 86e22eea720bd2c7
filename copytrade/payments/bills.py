"""What a payer sees: a coupon before he pays, his invoices, the next charge, what stopping at once gives back."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.domain.money import major, minor
from copytrade.payments import coupons, refunding
from copytrade.payments.bill_rows import ChargeRow, InvoiceRow, OfferedCoupon
from copytrade.payments.facts import GONE
from copytrade.payments.models import PaidPeriod, StripeSubscription
from copytrade.payments.selling_models import Coupon
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.subscriptions.states import LIVE


def offered_coupon(session: Session, *, profile_id: UUID, code: str) -> OfferedCoupon:
    """Return what a code takes off this profile's price now; InvalidInput (`code`) where it is not good for it."""
    currency = subscriptions.profile(session, profile_id).currency
    good = coupons.redeemable(session, profile_id=profile_id, code=code, currency=currency)
    row = session.get_one(Coupon, good.id)
    return OfferedCoupon(
        code=row.code,
        percent=row.percent,
        amount=None if row.minor is None else major(row.minor, currency=row.currency),
        duration=row.duration,
        months=row.months,
    )


def invoices_of(session: Session, *, owner: UUID, limit: int | None = None) -> list[InvoiceRow]:
    """Return what a person paid, newest first."""
    rows = session.exec(
        select(PaidPeriod)
        .where(PaidPeriod.subscriber_id == owner)
        .order_by(col(PaidPeriod.paid_at).desc(), col(PaidPeriod.id))
        .limit(limit)
    ).all()
    names = subscriptions.by_ids(session, {row.subscription_id for row in rows})
    return [
        InvoiceRow(
            id=row.id,
            subscription_id=row.subscription_id,
            trader_name=names[row.subscription_id].trader_name,
            number=row.invoice_number,
            amount=major(row.minor, currency=row.currency),
            refunded=major(row.refunded_minor, currency=row.currency),
            lost=major(row.lost_minor, currency=row.currency),
            currency=row.currency,
            period_start=row.period_start,
            period_end=row.period_end,
            paid_at=row.paid_at,
            page_url=row.invoice_page_url,
            pdf_url=row.invoice_pdf_url,
        )
        for row in rows
    ]


def charges_of(session: Session, *, owner: UUID) -> dict[UUID, ChargeRow]:
    """Return of a person's running paid subscriptions what each costs next, by its id."""
    rows = [one for one in subscriptions.subscriptions_of(session, owner=owner) if one.state in LIVE]
    rows = [one for one in rows if not one.is_paper]
    ids = [one.id for one in rows]
    billed = {
        one.subscription_id: one
        for one in session.exec(
            select(StripeSubscription).where(
                col(StripeSubscription.subscription_id).in_(ids),
                col(StripeSubscription.status).not_in(GONE),
                # What was paid twice is ended and given back by itself.
                col(StripeSubscription.is_surplus).is_(False),
            )
        )
    }
    back = _given_back(session, list(billed.values()), now=clock.now())
    return {one.id: _charge(one, billed.get(one.id), back.get(one.id, 0)) for one in rows}


def _charge(row: SubscriptionRow, billed: StripeSubscription | None, back: int) -> ChargeRow:
    at = row.next_charge_at
    has_coupon = billed is not None and (billed.off_percent is not None or billed.off_minor is not None)
    counts = billed is not None and has_coupon and (billed.off_until is None or (at or clock.now()) < billed.off_until)
    percent = billed.off_percent if billed is not None and counts else None
    off = billed.off_minor if billed is not None and counts else None
    amount = row.next_amount
    if amount is not None:
        units = minor(amount, currency=row.currency)
        units -= off or 0
        if percent is not None:
            units -= int((units * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        amount = major(max(0, units), currency=row.currency)
    return ChargeRow(
        amount=amount,
        off_percent=percent,
        off_amount=None if off is None else major(off, currency=row.currency),
        off_until=billed.off_until if billed is not None and counts else None,
        given_back=major(back, currency=row.currency),
        is_billed=billed is not None,
    )


def _given_back(session: Session, billed: Sequence[StripeSubscription], *, now: datetime) -> dict[UUID, int]:
    """Return what the unused whole days of running periods are worth, by subscription, where the setting gives it."""
    if settings().refund != "pro_rata" or not billed:
        return {}
    ours = {one.stripe_subscription_id: one.subscription_id for one in billed}
    found: dict[UUID, int] = {}
    for period in session.exec(
        select(PaidPeriod).where(
            col(PaidPeriod.stripe_subscription_id).in_(list(ours)), col(PaidPeriod.period_end) > now
        )
    ):
        worth = min(refunding.unused_of(period, at=now), refunding.left_of(period))
        id = ours[period.stripe_subscription_id]
        found[id] = found.get(id, 0) + max(0, worth)
    return found
