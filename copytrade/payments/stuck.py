"""Money that should go back and does not, and the shares that were agreed: what operators look at beside payouts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.domain.money import major
from copytrade.payments.ledger_models import Reversal, ReversalState, TraderShare
from copytrade.payments.selling_models import RefundMade, RefundState
from copytrade.users import queries as users


@dataclass(frozen=True, slots=True)
class StuckRow:
    """A reversal or a refund that waits, or that Stripe refused."""

    id: UUID
    kind: str
    state: str
    amount: Decimal
    currency: str
    attempts: int
    error: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share that was agreed with a trader; the newest counts."""

    trader: str
    share: Decimal
    set_by: str
    set_at: datetime


def going_back(session: Session, *, limit: int = 50) -> list[StuckRow]:
    """Return the reversals and refunds that wait or were refused, oldest first."""
    waiting = (ReversalState.PLANNED, ReversalState.REFUSED)
    reversals = session.exec(
        select(Reversal).where(col(Reversal.state).in_(waiting)).order_by(col(Reversal.created_at)).limit(limit)
    ).all()
    refunds = session.exec(
        select(RefundMade)
        .where(col(RefundMade.state) != RefundState.DONE)
        .order_by(col(RefundMade.created_at))
        .limit(limit)
    ).all()
    rows = [*(_stuck("reversal", row) for row in reversals), *(_stuck("refund", row) for row in refunds)]
    return sorted(rows, key=lambda row: row.created_at)[:limit]


def _stuck(kind: str, row: Reversal | RefundMade) -> StuckRow:
    amount = major(row.minor, currency=row.currency)
    return StuckRow(row.id, kind, row.state, amount, row.currency, row.attempts, row.error, row.created_at)


def shares(session: Session, *, limit: int = 50) -> list[ShareRow]:
    """Return what was agreed with traders, newest first."""
    rows = session.exec(select(TraderShare).order_by(col(TraderShare.set_at).desc()).limit(limit)).all()
    people = users.people(session, {id for row in rows for id in (row.trader_id, row.set_by)})
    emails = {id: person.email for id, person in people.items()}
    return [ShareRow(emails.get(row.trader_id, ""), row.share, emails.get(row.set_by, ""), row.set_at) for row in rows]
