"""What changes subscriptions: made, paid for, late, ended."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, and_, col, or_, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.instruments import Role
from copytrade.domain.terms import access_ends
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.settings import settings
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.profiles import publish, save_profile, unpublish
from copytrade.subscriptions.states import LIVE, OPEN, EndMode, State
from copytrade.users import queries as users

__all__ = [
    "EndMode", "State", "end", "entitle", "expire_due", "finish", "mark_past_due", "publish", "save_profile",
    "set_ending", "subscribe", "unpublish",
]  # fmt: skip

UNPAID_FOR = timedelta(hours=48)
"""An unpaid subscription is forgotten after this; a payment page lives for 24 hours."""


def subscribe(session: Session, *, owner: UUID, profile_id: UUID, copy_account_id: UUID) -> Subscription:
    """Make an incomplete subscription; one that waits for its payment already is taken up again."""
    if not users.person(session, owner).is_subscriber:
        raise NotAllowed(f"user {owner} is no subscriber", user="Only subscribers can copy a trader.")
    session.connection().execute(text("select pg_advisory_xact_lock(hashtext('subscribe'))"))
    profile = _open_profile(session, profile_id)
    if profile.user_id == owner:
        raise Conflict(f"user {owner} would copy himself", user="You cannot subscribe to yourself.")
    _fitting_account(session, owner=owner, copy_account_id=copy_account_id, profile=profile)
    _no_circle(session, subscriber_id=owner, trader_id=profile.user_id)
    row = session.exec(
        select(Subscription).where(
            Subscription.subscriber_id == owner,
            Subscription.profile_id == profile_id,
            col(Subscription.state).in_(OPEN),
        )
    ).first()
    if row is not None and row.state != State.INCOMPLETE:
        raise Conflict(f"subscription {row.id} is {row.state}", user="You are subscribed to this trader already.")
    if row is None or row.price != profile.price:
        if row is not None:
            _close(session, row, now=clock.now())
            session.flush()
        row = Subscription(
            subscriber_id=owner,
            profile_id=profile.id,
            trader_id=profile.user_id,
            lead_account_id=profile.lead_account_id,
            copy_account_id=copy_account_id,
            price=profile.price,
            currency=profile.currency,
            created_at=clock.now(),
        )
    row.copy_account_id = copy_account_id
    session.add(row)
    session.flush()
    ring(session, f"user:{owner}")
    return row


def _open_profile(session: Session, profile_id: UUID) -> Profile:
    profile = session.get(Profile, profile_id)
    if profile is None or not profile.is_published or profile.closed_at is not None:
        raise NotFound(f"profile {profile_id} is not published", user="This trader takes no subscribers.")
    return profile


def _fitting_account(session: Session, *, owner: UUID, copy_account_id: UUID, profile: Profile) -> None:
    account = accounts.account(session, owner=owner, account_id=copy_account_id)
    lead = accounts.ref(session, profile.lead_account_id)
    problem = None
    if account.role != Role.COPY:
        problem = "Choose an exchange account that you linked for copying."
    elif (account.venue, account.market) != (lead.venue, lead.market):
        problem = "This trader trades on another exchange or market than the chosen account."
    elif account.state != "active":
        problem = "The chosen exchange account is not active. Check it first."
    if problem:
        raise InvalidInput(
            f"account {account.id} ({account.role}, {account.venue}, {account.market}, {account.state}) does not fit",
            user=problem,
            field="copy_account_id",
        )


def _no_circle(session: Session, *, subscriber_id: UUID, trader_id: UUID) -> None:
    """Refuse when the trader copies the subscriber, directly or through others."""
    edges = session.exec(
        select(Subscription.subscriber_id, Subscription.trader_id).where(col(Subscription.state).in_(OPEN))
    ).all()
    copied: dict[UUID, set[UUID]] = {}
    for copier, trader in edges:
        copied.setdefault(copier, set()).add(trader)
    seen, waiting = {trader_id}, [trader_id]
    while waiting:
        for trader in copied.get(waiting.pop(), set()) - seen:
            seen.add(trader)
            waiting.append(trader)
    if subscriber_id in seen:
        raise Conflict(
            f"user {trader_id} copies user {subscriber_id}",
            user="This trader copies you, directly or through others; copying in a circle is not possible.",
        )


def entitle(session: Session, *, subscription_id: UUID, until: datetime) -> None:
    """Let a subscription copy until the end of a paid period; twice changes nothing, an earlier time neither."""
    row = locked(session, subscription_id)
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
    _tell_pages(session, row)


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
    _tell_pages(session, row)


def set_ending(session: Session, *, subscription_id: UUID, is_ending: bool) -> None:
    """Note whether the subscription will be renewed at the end of its period."""
    row = locked(session, subscription_id)
    if row.is_ending != is_ending and row.state != State.ENDED:
        row.is_ending = is_ending
        session.add(row)
        _tell_pages(session, row)


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
    _close(session, row, now=clock.now())
    return row


def revoke(session: Session, *, subscription_id: UUID) -> None:
    """End a subscription whose money went back; positions are left to follow the trader's exits."""
    row = locked(session, subscription_id)
    if row.state != State.ENDED:
        _close(session, row, now=clock.now())


def expire_due(session: Session, now: datetime) -> int:
    """End those whose paid time and grace are over, and forget those that were never paid; return how many."""
    candidates = select(Subscription).where(
        col(Subscription.state).in_(OPEN),
        or_(
            col(Subscription.entitled_until) <= now,
            and_(col(Subscription.entitled_until).is_(None), col(Subscription.created_at) <= now - UNPAID_FOR),
        ),
    )
    rows = session.exec(candidates.with_for_update(skip_locked=True)).all()
    due = [row for row in rows if _is_over(row, now)]
    for row in due:
        _close(session, row, now=now)
    return len(due)


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


def _close(session: Session, row: Subscription, *, now: datetime) -> None:
    was_live = row.state in LIVE
    row.state, row.ended_at = State.ENDED, now
    if not was_live:
        row.finished_at = now
    session.add(row)
    if was_live:
        profile = session.get_one(Profile, row.profile_id)
        record(
            session,
            "subscription.ended",
            user_id=row.subscriber_id,
            subscription_id=row.id,
            trader=profile.name,
            slug=profile.slug,
            end_mode=row.end_mode,
        )
    ring(session, "billing", "drive")
    _tell_pages(session, row)


def _tell_pages(session: Session, row: Subscription) -> None:
    ring(session, f"user:{row.subscriber_id}", f"user:{row.trader_id}", f"profile:{row.profile_id}")
