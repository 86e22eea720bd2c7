"""What a trader's subscribers paid, each payment with its parts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.domain.money import major
from copytrade.payments.ledger_models import Dispute
from copytrade.payments.models import PaidPeriod
from copytrade.settings import settings
from copytrade.users import queries as users


@dataclass(frozen=True, slots=True)
class PaidRow:
    """A payment of a subscriber's as its trader sees it."""

    id: UUID
    subscriber: str
    amount: Decimal
    platform: Decimal
    mine: Decimal
    taken_back: Decimal
    """Of the whole payment, by refunds and lost disputes."""
    currency: str
    paid_at: datetime
    available_at: datetime
    is_frozen: bool
    """A bank is deciding about it."""


def paid_of(session: Session, *, owner: UUID, limit: int | None = None) -> list[PaidRow]:
    """Return what a trader's subscribers paid, newest first; months that cost nothing are left out."""
    rows = session.exec(
        select(PaidPeriod)
        .where(PaidPeriod.trader_id == owner, PaidPeriod.minor > 0)
        .order_by(col(PaidPeriod.paid_at).desc(), col(PaidPeriod.id))
        .limit(limit)
    ).all()
    people = users.people(session, {row.subscriber_id for row in rows})
    frozen = set(
        session.exec(
            select(Dispute.paid_period_id).where(
                col(Dispute.is_open), col(Dispute.paid_period_id).in_([row.id for row in rows])
            )
        )
    )
    hold = timedelta(days=settings().payout_hold_days)
    return [
        PaidRow(
            id=row.id,
            subscriber=people[row.subscriber_id].name if row.subscriber_id in people else "",
            amount=major(row.minor, currency=row.currency),
            platform=major(row.platform_minor, currency=row.currency),
            mine=major(row.trader_minor, currency=row.currency),
            taken_back=major(row.refunded_minor + row.lost_minor, currency=row.currency),
            currency=row.currency,
            paid_at=row.paid_at,
            available_at=row.paid_at + hold,
            is_frozen=row.id in frozen,
        )
        for row in rows
    ]
