"""What operators see of money: revenue, disputes with their deadlines, differences, the books, payouts that wait."""

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.domain.bookings import DISPUTED, FEES, PLATFORM, STRIPE, trader_of
from copytrade.domain.money import major
from copytrade.payments import entries
from copytrade.payments.earning_rows import BookRow, DifferenceRow, DisputeRow, RevenueMonth, WaitingPayout
from copytrade.payments.ledger_models import (
    Dispute,
    EntryKind,
    MoneyDifference,
    Payout,
    PayoutState,
)
from copytrade.payments.models import PaidPeriod
from copytrade.payments.months import TAKING, Key, PaidSums, booked_by_month, months_before, paid_by_month
from copytrade.subscriptions import queries as subscriptions


def revenue_by_month(session: Session, *, months: int = 12) -> list[RevenueMonth]:
    """Return the platform's months that have something in them, oldest first, each currency for itself."""
    since = months_before(clock.now(), months=months)
    paid = paid_by_month(session, since=since)
    taken = booked_by_month(session, account=PLATFORM, since=since, kinds=TAKING)
    fees = booked_by_month(session, account=FEES, since=since, kinds=(EntryKind.FEE,))
    keys = sorted({*paid, *taken, *fees})
    return [_month(key, paid.get(key, PaidSums()), taken.get(key, 0), fees.get(key, 0)) for key in keys]


def _month(key: Key, paid: PaidSums, taken: int, fees: int) -> RevenueMonth:
    month, currency = key
    return RevenueMonth(
        month=month,
        currency=currency,
        payments=paid.payments,
        gross=major(paid.gross, currency=currency),
        platform=major(paid.platform, currency=currency),
        traders=major(paid.traders, currency=currency),
        taken_back=major(taken, currency=currency),
        fees=major(fees, currency=currency),
        net=major(paid.platform - taken - fees, currency=currency),
    )


def books(session: Session) -> list[BookRow]:
    """Return what stands in the books, by currency."""
    found: dict[str, dict[str, int]] = {}
    for one in entries.sums(session):
        of = "traders" if trader_of(one.account) else one.account
        sums = found.setdefault(one.currency, {})
        sums[of] = sums.get(of, 0) + one.minor
    return [_book(currency, sums) for currency, sums in sorted(found.items())]


def _book(currency: str, sums: dict[str, int]) -> BookRow:
    stripe, disputed, fees, platform, traders = (
        major(sums.get(name, 0), currency=currency) for name in (STRIPE, DISPUTED, FEES, PLATFORM, "traders")
    )
    return BookRow(currency, stripe, disputed, fees, platform, traders)


def disputes(session: Session, *, limit: int = 50, offset: int = 0) -> list[DisputeRow]:
    """Return disputes, those first that wait for us, by their deadlines."""
    rows = session.exec(
        select(Dispute, PaidPeriod)
        .join(PaidPeriod, col(PaidPeriod.id) == col(Dispute.paid_period_id), isouter=True)
        .order_by(col(Dispute.is_open).desc(), col(Dispute.evidence_due_at).nulls_last(), col(Dispute.opened_at).desc())
        .limit(limit)
        .offset(offset)
    ).all()
    names = subscriptions.by_ids(session, {period.subscription_id for _, period in rows if period})
    return [_dispute(row, names[period.subscription_id].trader_name if period else "") for row, period in rows]


def _dispute(row: Dispute, trader_name: str) -> DisputeRow:
    return DisputeRow(
        id=row.stripe_dispute_id,
        trader_name=trader_name,
        amount=major(row.minor, currency=row.currency),
        currency=row.currency,
        reason=row.reason,
        status=row.status,
        is_open=row.is_open,
        opened_at=row.opened_at,
        answer_by=row.evidence_due_at if row.is_open else None,
        closed_at=row.closed_at,
    )


def differences(session: Session, *, limit: int = 50, offset: int = 0) -> list[DifferenceRow]:
    """Return where Stripe's lists and ours differ or differed, what is open first, newest first."""
    rows = session.exec(
        select(MoneyDifference)
        .order_by(col(MoneyDifference.resolved_at).is_not(None), col(MoneyDifference.found_at).desc())
        .limit(limit)
        .offset(offset)
    )
    return [DifferenceRow(row.kind, row.stripe_id, row.ours, row.theirs, row.found_at, row.resolved_at) for row in rows]


def waiting_payouts(session: Session, *, limit: int = 50) -> list[WaitingPayout]:
    """Return the payouts that Stripe has not made, oldest first."""
    rows = session.exec(
        select(Payout).where(Payout.state == PayoutState.PLANNED).order_by(col(Payout.created_at)).limit(limit)
    )
    return [
        WaitingPayout(
            id=row.id,
            trader_id=row.trader_id,
            amount=major(row.minor, currency=row.currency),
            currency=row.currency,
            attempts=row.attempts,
            error=row.error,
            created_at=row.created_at,
            try_at=row.try_at,
        )
        for row in rows
    ]
