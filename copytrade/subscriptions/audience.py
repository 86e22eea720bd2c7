"""Who subscribes to a trader for money now, by how it stands with them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.states import LIVE, State


@dataclass(frozen=True, slots=True)
class Audience:
    """How many subscribe; the others are parts of `running`."""

    running: int
    trying: int
    """In their free trial."""
    late: int
    """With a payment that is missing."""
    leaving: int
    """Not renewed."""


def audience_of(session: Session, *, owner: UUID) -> Audience:
    """Return how many subscribe to all profiles of a trader, none of those on paper."""
    rows = session.exec(
        select(Subscription.state, Subscription.is_ending, func.count())
        .where(
            Subscription.trader_id == owner,
            col(Subscription.is_paper).is_(False),
            col(Subscription.state).in_(LIVE),
        )
        .group_by(col(Subscription.state), col(Subscription.is_ending))
    ).all()
    return Audience(
        running=sum(count for *_, count in rows),
        trying=sum(count for state, _, count in rows if state == State.TRIALING),
        late=sum(count for state, _, count in rows if state in (State.PAST_DUE, State.UNPAID)),
        leaving=sum(count for _, is_ending, count in rows if is_ending),
    )
