"""What makes a subscription: one that waits for its payment, or one on paper, which is free and copies at once."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import ring
from copytrade.domain.billing import Happening
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.subscriptions import consent as consents
from copytrade.subscriptions.closing import close
from copytrade.subscriptions.consent import Consent
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.offering import trial_days
from copytrade.subscriptions.states import OPEN, State
from copytrade.users import queries as users

LOCK = "select pg_advisory_xact_lock(hashtext('subscribe'))"
"""Held by whoever makes a subscription: that an account is free, and that nobody copies in a circle, stays true."""


def subscribe(
    session: Session, *, owner: UUID, profile_id: UUID, copy_account_id: UUID, consent: Consent | None = None
) -> Subscription:
    """Make an incomplete subscription; one that waits for its payment already is taken up again.

    The risk text has to be accepted, now or before. Onto a paper account it is free and active at once, beside a paid
    one of the same profile if there is one.
    """
    if not users.person(session, owner).is_subscriber:
        raise NotAllowed(f"user {owner} is no subscriber", user="Only subscribers can copy a trader.")
    session.connection().execute(text(LOCK))
    profile = _open_profile(session, profile_id)
    if profile.user_id == owner:
        raise Conflict(f"user {owner} would copy himself", user="You cannot subscribe to yourself.")
    account = fitting_account(session, owner=owner, copy_account_id=copy_account_id, profile=profile)
    if not account.is_paper:
        if consent is not None:
            consents.accept(session, owner=owner, consent=consent)
        consents.require(session, owner=owner)
        _no_circle(session, subscriber_id=owner, trader_id=profile.user_id)
    row = session.exec(
        select(Subscription).where(
            Subscription.subscriber_id == owner,
            Subscription.profile_id == profile_id,
            Subscription.is_paper == account.is_paper,
            col(Subscription.state).in_(OPEN),
        )
    ).first()
    if row is not None and row.is_paper:
        raise Conflict(f"subscription {row.id} is on paper", user="You copy this trader on paper already.")
    if row is not None and row.state != State.INCOMPLETE:
        raise Conflict(f"subscription {row.id} is {row.state}", user="You are subscribed to this trader already.")
    if not account.is_paper:
        free_account(session, copy_account_id=copy_account_id, but=row.id if row else None)
    free = trial_days(session, owner=owner, profile_id=profile.id)
    if row is None or _terms(row) != (profile.price, profile.currency, free):
        if row is not None:
            close(session, row, why=Happening.REPLACED, now=clock.now())
            session.flush()
        row = _made(session, owner, profile, is_paper=account.is_paper, copy_account_id=copy_account_id)
    row.copy_account_id = copy_account_id
    session.add(row)
    session.flush()
    ring(session, f"user:{owner}")
    return row


def _terms(row: Subscription) -> tuple[Decimal, str, int]:
    return row.price, row.currency, row.trial_days


def _made(session: Session, owner: UUID, profile: Profile, *, is_paper: bool, copy_account_id: UUID) -> Subscription:
    now = clock.now()
    return Subscription(
        subscriber_id=owner,
        profile_id=profile.id,
        trader_id=profile.user_id,
        lead_account_id=profile.lead_account_id,
        copy_account_id=copy_account_id,
        is_paper=is_paper,
        state=State.ACTIVE if is_paper else State.INCOMPLETE,
        started_at=now if is_paper else None,
        price=Decimal(0) if is_paper else profile.price,
        currency=profile.currency,
        trial_days=0 if is_paper else trial_days(session, owner=owner, profile_id=profile.id),
        created_at=now,
    )


def _open_profile(session: Session, profile_id: UUID) -> Profile:
    profile = session.get(Profile, profile_id)
    if profile is None or not profile.is_published or profile.closed_at is not None:
        raise NotFound(f"profile {profile_id} is not published", user="This trader takes no subscribers.")
    return profile


def free_account(session: Session, *, copy_account_id: UUID, but: UUID | None) -> None:
    """Refuse an account onto which another subscription copies, or waits for its payment: there is one at a time."""
    taken = session.exec(
        select(Subscription, Profile)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(
            Subscription.copy_account_id == copy_account_id,
            col(Subscription.is_paper).is_(False),
            col(Subscription.state).in_(OPEN),
            *([col(Subscription.id) != but] if but else []),
        )
        .limit(1)
    ).first()
    if taken is None:
        return
    row, profile = taken
    raise Conflict(
        f"account {copy_account_id} has subscription {row.id}, {row.state}",
        user="A subscription to {trader} waits for its payment on this account. Pay or drop that one first."
        if row.state == State.INCOMPLETE
        else "This account copies {trader} already, and an account copies one trader at a time. Choose another one.",
        field="copy_account_id",
        trader=profile.name,
    )


def fitting_account(session: Session, *, owner: UUID, copy_account_id: UUID, profile: Profile) -> AccountRow:
    """Return an account of this owner onto which a profile can be copied."""
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
    return account


def _no_circle(session: Session, *, subscriber_id: UUID, trader_id: UUID) -> None:
    """Refuse when the trader copies the subscriber, directly or through others."""
    edges = session.exec(
        select(Subscription.subscriber_id, Subscription.trader_id).where(
            col(Subscription.state).in_(OPEN), col(Subscription.is_paper).is_(False)
        )
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
