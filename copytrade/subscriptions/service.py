"""What changes subscriptions: made, paid for, late, ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, and_, col, or_, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.domain.billing import access_ends
from copytrade.errors import Conflict, NotFound
from copytrade.settings import settings
from copytrade.subscriptions.closing import close, tell_pages
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.profiles import publish, save_profile, unpublish
from copytrade.subscriptions.states import LIVE, OPEN, EndMode, State
from copytrade.subscriptions.subscribing import subscribe

__all__ = [
    "EndMode", "State", "choose_end", "end", "entitle", "expire_due", "finish", "mark_past_due", "publish",
    "save_profile", "set_ending", "subscribe", "unpublish",
]  # fmt: skip

UNPAID_FOR = timedelta(hours=48)
"""An unpaid subscription is forgotten after this; a payment page lives for 24 hours."""


def entitle(session: Session, *, subscription_id: UUID, until: datetime) -> None:
    """Let a subscription copy until the end of a paid period; twice changes nothing, an earlier time neither."""
    row = locked(session, subscription_id)
    if row.is_paper:
        raise Conflict(f"subscription {row.id} is on paper", user="Copying on paper costs nothing.")
    if row.state == State.ENDED:
        _paid_after_end(session, row, until)
        return
    if row.entitled_until is not None and row.entitled_until >= until:
        return
    row.entitled_until = until
    was, row.state = row.state, State.ACTIVE
    session.add(row)
    if was == State.INCOMPLETE:
        row.started_at = clock.now()
        profile = session.get_one(Profile, row.profile_id)
        facts = {"subscription_id": row.id, "trader": profile.name, "slug": profile.slug}
        until_text = row.entitled_until.isoformat()
        record(session, "subscription.activated", user_id=row.subscriber_id, until=until_text, **facts)
        record(session, "subscriber.joined", user_id=row.trader_id, **facts)
    tell_pages(session, row)


def _paid_after_end(session: Session, row: Subscription, until: datetime) -> None:
    """Money came for something that has ended: an operator has to give it back or talk to the person."""
    if row.ended_at is not None and until > row.ended_at and (row.entitled_until is None or until > row.entitled_until):
        row.entitled_until = until
        session.add(row)
        record(
            session, "alarm.paid_after_end", cause=f"{row.id}:{until.isoformat()}", subscription_id=row.id, until=until
        )


def mark_past_due(session: Session, *, subscription_id: UUID) -> None:
    """Note that a renewal was not paid: copying goes on through the days of grace."""
    row = locked(session, subscription_id)
    if row.state != State.ACTIVE:
        return
    row.state = State.PAST_DUE
    session.add(row)
    profile = session.get_one(Profile, row.profile_id)
    until = _access_ends(row)
    record(
        session,
        "subscription.past_due",
        user_id=row.subscriber_id,
        subscription_id=row.id,
        trader=profile.name,
        until=until.isoformat() if until else "",
    )
    tell_pages(session, row)


def set_ending(session: Session, *, subscription_id: UUID, is_ending: bool) -> None:
    """Note whether the subscription will be renewed at the end of its period."""
    row = locked(session, subscription_id)
    if row.is_ending != is_ending and row.state != State.ENDED:
        row.is_ending = is_ending
        session.add(row)
        tell_pages(session, row)


def choose_end(session: Session, *, owner: UUID, subscription_id: UUID, mode: EndMode) -> None:
    """Choose what becomes of the positions when a subscription of this owner ends, however that comes."""
    row = locked(session, subscription_id)
    if row.subscriber_id != owner:
        raise NotFound(
            f"subscription {subscription_id} of {owner} was not found", user="There is no such subscription."
        )
    if row.state != State.ENDED:
        row.end_mode = mode
        session.add(row)


def end(session: Session, *, owner: UUID, subscription_id: UUID, mode: EndMode | None = None) -> Subscription:
    """End a subscription of this owner now; `mode` says what becomes of the positions. Copying acts on it."""
    row = locked(session, subscription_id)
    if row.subscriber_id != owner:
        raise NotFound(
            f"subscription {subscription_id} of {owner} was not found", user="There is no such subscription."
        )
    if row.state == State.ENDED:
        raise Conflict(f"subscription {subscription_id} has ended", user="This subscription has ended already.")
    row.end_mode = mode or row.end_mode
    close(session, row, now=clock.now())
    return row


def revoke(session: Session, *, subscription_id: UUID) -> None:
    """End a subscription whose money went back; positions are treated as its owner chose."""
    row = locked(session, subscription_id)
    if row.state != State.ENDED:
        close(session, row, now=clock.now())


def expire_due(session: Session, now: datetime) -> int:
    """End those whose paid time and grace are over, and forget those that were never paid; return how many.

    Those on paper have no time: they end where the trader is published no more.
    """
    candidates = select(Subscription).where(
        col(Subscription.state).in_(OPEN),
        col(Subscription.is_paper).is_(False),
        or_(
            col(Subscription.entitled_until) <= now,
            and_(col(Subscription.entitled_until).is_(None), col(Subscription.created_at) <= now - UNPAID_FOR),
        ),
    )
    rows = session.exec(candidates.with_for_update(skip_locked=True)).all()
    due = [*(row for row in rows if _is_over(row, now)), *_left_on_paper(session)]
    for row in due:
        close(session, row, now=now)
    return len(due)


def _left_on_paper(session: Session) -> Sequence[Subscription]:
    gone = or_(col(Profile.is_published).is_(False), col(Profile.closed_at).is_not(None))
    return session.exec(
        select(Subscription)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(col(Subscription.state).in_(LIVE), col(Subscription.is_paper), gone)
        .with_for_update(of=Subscription, skip_locked=True)
    ).all()


def _is_over(row: Subscription, now: datetime) -> bool:
    ends = _access_ends(row)
    return now >= row.created_at + UNPAID_FOR if ends is None else now >= ends


def _access_ends(row: Subscription) -> datetime | None:
    if row.entitled_until is None:
        return None
    grace = timedelta(days=settings().payment_grace_days)
    return access_ends(row.entitled_until, grace=grace, is_ending=row.is_ending)


def finish(session: Session, *, subscription_id: UUID) -> None:
    """Note that copying has nothing left to do for an ended subscription."""
    row = locked(session, subscription_id)
    if row.state == State.ENDED and row.finished_at is None:
        row.finished_at = clock.now()
        session.add(row)


def locked(session: Session, subscription_id: UUID) -> Subscription:
    """Return a subscription with its row locked."""
    row = session.exec(
        select(Subscription)
        .where(Subscription.id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound(f"subscription {subscription_id} was not found", user="There is no such subscription.")
    return row
