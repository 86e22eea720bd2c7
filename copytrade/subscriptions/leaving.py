"""A trader who takes no subscribers any more: nothing is renewed, and everybody is told."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State as AccountState
from copytrade.db.events import record
from copytrade.domain.billing import Happening
from copytrade.settings import settings
from copytrade.subscriptions.closing import close, tell_pages
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import OPEN, State


def stop_renewals(session: Session, now: datetime) -> int:
    """Let the subscriptions of traders who are gone run out, or end them where what is left goes back."""
    found = session.exec(
        select(Subscription, Profile)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(
            col(Subscription.state).in_(OPEN),
            col(Subscription.is_paper).is_(False),
            col(Subscription.must_end).is_(False),
            or_(
                col(Profile.is_published).is_(False),
                col(Profile.closed_at).is_not(None),
                col(Profile.lead_account_id).in_(_unlinked(session)),
            ),
        )
        .with_for_update(of=Subscription, skip_locked=True)
    ).all()
    for row, profile in found:
        _stop(session, row, profile, now=now)
    return len(found)


def _unlinked(session: Session) -> list[object]:
    """Return the lead accounts of running subscriptions that their owners unlinked."""
    leads = session.exec(
        select(Subscription.lead_account_id)
        .where(col(Subscription.state).in_(OPEN), col(Subscription.must_end).is_(False))
        .distinct()
    ).all()
    return [id for id, state in accounts.states(session, leads).items() if state == AccountState.UNLINKED]


def _stop(session: Session, row: Subscription, profile: Profile, *, now: datetime) -> None:
    row.must_end = row.is_ending = True
    row.next_price = row.next_price_from = None
    session.add(row)
    is_waiting = row.state == State.INCOMPLETE
    if not is_waiting:
        is_refunded = settings().refund == "pro_rata"
        record(
            session,
            "subscription.trader_refunded" if is_refunded else "subscription.trader_gone",
            user_id=row.subscriber_id,
            cause=str(row.id),
            subscription_id=row.id,
            trader=profile.name,
            until=row.entitled_until.isoformat() if row.entitled_until else "",
        )
    if is_waiting or settings().refund == "pro_rata":
        close(session, row, why=Happening.TRADER_GONE, now=now)
    tell_pages(session, row)
