"""What is heard of a subscription's payments, and what time alone changes: facts into states, told once."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.domain.billing import Facts, Happening, Patience, State, access_ends, after, happening
from copytrade.domain.money import told
from copytrade.errors import Conflict
from copytrade.settings import settings
from copytrade.subscriptions.closing import close, tell_pages
from copytrade.subscriptions.finding import locked
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import LIVE, MAY_ENTER, OPEN

UNPAID_FOR = timedelta(hours=48)
"""An unpaid subscription is forgotten after this; a payment page lives for 24 hours."""
_NOTICES = {State.PAST_DUE: "past_due", State.UNPAID: "unpaid", State.PAUSED: "paused", State.DISPUTED: "disputed"}


def patience() -> Patience:
    """Return how long this installation waits for money."""
    config = settings()
    return Patience(
        grace=timedelta(days=config.payment_grace_days),
        unpaid=timedelta(days=config.payment_unpaid_days),
        incomplete=UNPAID_FOR,
    )


def facts_of(row: Subscription) -> Facts:
    """Return what is known of a subscription's payments."""
    return Facts(
        created_at=row.created_at,
        paid_until=row.entitled_until,
        is_trial=row.is_trial,
        is_late=row.is_late,
        has_given_up=row.has_given_up,
        is_ending=row.is_ending,
        is_paused=row.is_held,
        is_disputed=row.is_disputed,
    )


def hear(session: Session, *, subscription_id: UUID, facts: Facts) -> State:
    """Take in what is known of a subscription now and return where it stands; twice the same changes nothing."""
    row = locked(session, subscription_id)
    if row.is_paper:
        raise Conflict(f"subscription {row.id} is on paper", user="Copying on paper costs nothing.")
    if row.state == State.CANCELED:
        _paid_after_end(session, row, facts.paid_until)
        return State.CANCELED
    _keep(row, facts)
    session.add(row)
    step(session, row, happening(_with_time(row, facts), now=clock.now(), patience=patience()), now=clock.now())
    if session.is_modified(row):
        tell_pages(session, row)
    return State(row.state)


def _keep(row: Subscription, facts: Facts) -> None:
    """An earlier end of the paid time is old news: periods are only ever added."""
    if facts.paid_until is not None and (row.entitled_until is None or facts.paid_until > row.entitled_until):
        row.entitled_until = facts.paid_until
    told = {
        "is_trial": facts.is_trial,
        "is_late": facts.is_late,
        "has_given_up": facts.has_given_up,
        "is_ending": facts.is_ending or facts.is_gone or row.must_end,
        "is_held": facts.is_paused,
        "is_disputed": facts.is_disputed,
    }
    for name, value in told.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _with_time(row: Subscription, facts: Facts) -> Facts:
    known = facts_of(row)
    return Facts(
        created_at=known.created_at,
        paid_until=known.paid_until,
        is_trial=known.is_trial,
        is_late=known.is_late,
        has_given_up=known.has_given_up,
        is_ending=known.is_ending,
        is_gone=facts.is_gone,
        is_paused=known.is_paused,
        is_disputed=known.is_disputed,
        is_lost=facts.is_lost,
        is_refunded=facts.is_refunded,
    )


def step(session: Session, row: Subscription, what: Happening | None, *, now: datetime) -> bool:
    """Move a subscription by what happened and tell its people; False where it stays."""
    was = State(row.state)
    state = after(was, what) if what else was
    if what is None or state is was:
        return False
    if state is State.CANCELED:
        close(session, row, why=what, now=now)
        return True
    row.state = state
    session.add(row)
    profile = session.get_one(Profile, row.profile_id)
    if row.started_at is None:
        _begun(session, row, profile, now=now)
    elif state in MAY_ENTER and was not in MAY_ENTER:
        record(session, "subscription.resumed", user_id=row.subscriber_id, **_told(row, profile))
    if state in _NOTICES:
        record(session, f"subscription.{_NOTICES[state]}", user_id=row.subscriber_id, **_told(row, profile))
    tell_pages(session, row)
    return True


def _begun(session: Session, row: Subscription, profile: Profile, *, now: datetime) -> None:
    row.started_at = now
    kind = "subscription.trial_started" if row.is_trial else "subscription.activated"
    record(session, kind, user_id=row.subscriber_id, **_told(row, profile))
    record(session, "subscriber.joined", user_id=row.trader_id, **_told(row, profile))


def _told(row: Subscription, profile: Profile) -> dict[str, str]:
    until = _access_ends(row) if row.is_late else row.entitled_until
    return {
        "subscription_id": str(row.id),
        "trader": profile.name,
        "slug": profile.slug,
        "until": until.isoformat() if until else "",
        "price": told(row.price, currency=row.currency),
    }


def _access_ends(row: Subscription) -> datetime | None:
    if row.entitled_until is None:
        return None
    return access_ends(row.entitled_until, grace=patience().grace, is_ending=row.is_ending)


def _paid_after_end(session: Session, row: Subscription, until: datetime | None) -> None:
    """Money came for something that has ended: an operator has to give it back or talk to the person."""
    if row.ended_at is None or until is None or row.successor_id is not None:
        return
    if until > row.ended_at and (row.entitled_until is None or until > row.entitled_until):
        row.entitled_until = until
        session.add(row)
        record(
            session, "alarm.paid_after_end", cause=f"{row.id}:{until.isoformat()}", subscription_id=row.id, until=until
        )


def expire_due(session: Session, now: datetime) -> int:
    """Move on those whose paid time, grace or patience is over, and forget those never paid; return how many.

    Those on paper have no time: they end where the trader is published no more.
    """
    rows = session.exec(
        select(Subscription)
        .where(
            col(Subscription.state).in_(OPEN),
            col(Subscription.is_paper).is_(False),
            or_(
                col(Subscription.entitled_until) <= now,
                col(Subscription.entitled_until).is_(None) & (col(Subscription.created_at) <= now - UNPAID_FOR),
            ),
        )
        .with_for_update(skip_locked=True)
    ).all()
    moved = [step(session, row, happening(facts_of(row), now=now, patience=patience()), now=now) for row in rows]
    return sum(moved) + _left_on_paper(session, now=now)


def _left_on_paper(session: Session, *, now: datetime) -> int:
    gone = or_(col(Profile.is_published).is_(False), col(Profile.closed_at).is_not(None))
    rows = session.exec(
        select(Subscription)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(col(Subscription.state).in_(LIVE), col(Subscription.is_paper), gone)
        .with_for_update(of=Subscription, skip_locked=True)
    ).all()
    for row in rows:
        close(session, row, why=Happening.TRADER_GONE, now=now)
    return len(rows)


def tell_trials(session: Session, now: datetime) -> int:
    """Tell those whose trial ends soon what will be charged, once each; return how many."""
    soon = now + timedelta(days=settings().trial_notice_days)
    rows = session.exec(
        select(Subscription)
        .where(
            Subscription.state == State.TRIALING,
            col(Subscription.trial_told_at).is_(None),
            col(Subscription.is_ending).is_(False),
            col(Subscription.entitled_until) <= soon,
        )
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.trial_told_at = now
        session.add(row)
        profile = session.get_one(Profile, row.profile_id)
        record(session, "subscription.trial_ending", user_id=row.subscriber_id, **_told(row, profile))
    return len(rows)
