"""What shows profiles and subscriptions."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade.accounts import queries as accounts
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.billing import access_ends
from copytrade.domain.instruments import Role
from copytrade.errors import NotFound
from copytrade.settings import settings
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.rows import (
    ActiveSubscription,
    Ended,
    EndedSubscription,
    ProfileRow,
    SubscriberRow,
    SubscriptionRow,
    TraderRow,
)
from copytrade.subscriptions.states import LIVE, MAY_ENTER, EndMode, State
from copytrade.users import queries as users


def profile_by_slug(session: Session, slug: str, *, viewer: UUID | None = None) -> ProfileRow:
    """Return a published profile; its owner sees it before that too."""
    row = session.exec(select(Profile).where(Profile.slug == slug)).first()
    if row is None or not (row.is_published or row.published_at or row.user_id == viewer):
        raise NotFound(f"profile {slug!r} was not found", user="There is no such trader.")
    return _profiles(session, [row])[0]


def profile(session: Session, profile_id: UUID) -> ProfileRow:
    """Return a profile by its id, published or not."""
    row = session.get(Profile, profile_id)
    if row is None:
        raise NotFound(f"profile {profile_id} was not found", user="There is no such trader.")
    return _profiles(session, [row])[0]


def profile_names(session: Session, profile_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of several profiles by id, in one query."""
    return dict(session.exec(select(Profile.id, Profile.name).where(col(Profile.id).in_(profile_ids))).all())


def published(session: Session) -> list[ProfileRow]:
    """Return every profile that stands in the leaderboard."""
    rows = session.exec(select(Profile).where(col(Profile.is_published), col(Profile.closed_at).is_(None)))
    return _profiles(session, list(rows))


def profiles_of(session: Session, *, owner: UUID) -> list[ProfileRow]:
    """Return a trader's own profiles."""
    rows = session.exec(select(Profile).where(Profile.user_id == owner).order_by(col(Profile.created_at)))
    return _profiles(session, list(rows))


def _profiles(session: Session, rows: list[Profile]) -> list[ProfileRow]:
    ids = [row.id for row in rows]
    refs = accounts.refs(session, [row.lead_account_id for row in rows])
    counts = dict(
        session.exec(
            select(Subscription.profile_id, func.count())
            .where(
                col(Subscription.profile_id).in_(ids),
                col(Subscription.state).in_(MAY_ENTER),
                col(Subscription.is_paper).is_(False),
            )
            .group_by(col(Subscription.profile_id))
        ).all()
    )
    return [
        ProfileRow(
            id=row.id,
            user_id=row.user_id,
            lead_account_id=row.lead_account_id,
            slug=row.slug,
            name=row.name,
            about=row.about,
            price=row.price,
            currency=row.currency,
            venue=refs[row.lead_account_id].venue,
            market=refs[row.lead_account_id].market,
            trial_days=row.trial_days,
            is_published=row.is_published,
            published_at=row.published_at,
            created_at=row.created_at,
            closed_at=row.closed_at,
            subscribers=counts.get(row.id, 0),
        )
        for row in rows
    ]


def subscription(session: Session, *, owner: UUID, subscription_id: UUID) -> SubscriptionRow:
    """Return a subscription of this owner; anybody else's is not found."""
    found = session.exec(
        select(Subscription, Profile)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(Subscription.id == subscription_id, Subscription.subscriber_id == owner)
    ).first()
    if found is None:
        raise NotFound(
            f"subscription {subscription_id} of {owner} was not found", user="There is no such subscription."
        )
    return _subscription(*found)


def subscriptions_of(session: Session, *, owner: UUID) -> list[SubscriptionRow]:
    """Return a subscriber's subscriptions, newest first."""
    rows = session.exec(
        select(Subscription, Profile)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(Subscription.subscriber_id == owner)
        .order_by(col(Subscription.created_at).desc())
    )
    return [_subscription(*row) for row in rows]


def by_ids(session: Session, subscription_ids: set[UUID]) -> dict[UUID, SubscriptionRow]:
    """Return subscriptions by id, whoever owns them: for services, never for a page."""
    rows = session.exec(
        select(Subscription, Profile)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(col(Subscription.id).in_(subscription_ids))
    )
    return {row[0].id: _subscription(*row) for row in rows}


def _subscription(row: Subscription, profile: Profile) -> SubscriptionRow:
    return SubscriptionRow(
        id=row.id,
        subscriber_id=row.subscriber_id,
        profile_id=row.profile_id,
        trader_id=row.trader_id,
        trader_name=profile.name,
        slug=profile.slug,
        lead_account_id=row.lead_account_id,
        copy_account_id=row.copy_account_id,
        state=row.state,
        entitled_until=row.entitled_until,
        access_until=_access_until(row),
        is_ending=row.is_ending,
        end_mode=row.end_mode,
        price=row.price,
        currency=row.currency,
        trial_days=row.trial_days,
        trial_ends_at=row.entitled_until if row.state == State.TRIALING else None,
        next_charge_at=_next_charge(row),
        next_amount=_next_price(row),
        next_price=row.next_price,
        next_price_from=row.next_price_from,
        end_reason=row.end_reason,
        successor_id=row.successor_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        created_at=row.created_at,
        is_paper=row.is_paper,
    )


def _access_until(row: Subscription) -> datetime | None:
    if row.entitled_until is None:
        return None
    grace = timedelta(days=settings().payment_grace_days)
    return access_ends(row.entitled_until, grace=grace, is_ending=row.is_ending)


def _next_charge(row: Subscription) -> datetime | None:
    """Return when the next renewal is charged; None where nothing is."""
    is_renewed = row.state in (State.TRIALING, State.ACTIVE) and not row.is_ending and not row.is_paper
    return row.entitled_until if is_renewed else None


def _next_price(row: Subscription) -> Decimal | None:
    at = _next_charge(row)
    if at is None:
        return None
    is_new = row.next_price is not None and row.next_price_from is not None and at >= row.next_price_from
    return row.next_price if is_new else row.price


def active_on_lead(session: Session, *, lead_account_id: UUID, now: datetime) -> list[ActiveSubscription]:
    """Return whoever copies this lead account now, on paper too, with those who only follow its exits; one query."""
    return answered(session, asking_active_on_lead(lead_account_id, now=now))


_ACTIVE_ON_LEAD = """
SELECT id, subscriber_id, profile_id, copy_account_id, started_at, end_mode, state, entitled_until, is_ending, is_paper
FROM people.subscriptions WHERE lead_account_id = %(lead)s AND finished_at IS NULL AND started_at IS NOT NULL
    AND (state = ANY(%(live)s) OR end_mode = %(follows)s)
"""


def asking_active_on_lead(lead_account_id: UUID, *, now: datetime) -> Asking[list[ActiveSubscription]]:
    """Ask for what `active_on_lead` returns."""
    live = [state.value for state in LIVE]
    values = {"lead": lead_account_id, "live": live, "follows": EndMode.FOLLOW_EXITS.value}
    [found] = yield [Ask(_ACTIVE_ON_LEAD, values)]
    grace = timedelta(days=settings().payment_grace_days)
    return [
        ActiveSubscription(
            id=subscription_id,
            subscriber_id=subscriber_id,
            profile_id=profile_id,
            copy_account_id=copy_account_id,
            started_at=started_at,
            may_enter=state in MAY_ENTER
            and (
                is_paper
                or (
                    entitled_until is not None
                    and now < access_ends(entitled_until, grace=grace, is_ending=is_ending)
                )
            ),
            end_mode=end_mode,
            is_paper=is_paper,
        )
        for (
            subscription_id, subscriber_id, profile_id, copy_account_id, started_at, end_mode, state, entitled_until,
            is_ending, is_paper,
        ) in found
        if started_at is not None
    ]  # fmt: skip


def ended_unsettled(session: Session) -> list[EndedSubscription]:
    """Return ended subscriptions that copying has not finished with."""
    rows = session.exec(
        select(Subscription).where(Subscription.state == State.CANCELED, col(Subscription.finished_at).is_(None))
    )
    return [
        EndedSubscription(row.id, row.subscriber_id, row.copy_account_id, row.end_mode, row.ended_at)
        for row in rows
        if row.ended_at is not None
    ]


def ended(session: Session, *, since: datetime | None) -> list[Ended]:
    """Return the subscriptions that ended, since a moment or ever; not those that go on in another."""
    query = select(Subscription.id, Subscription.end_reason, Subscription.ended_at).where(
        Subscription.state == State.CANCELED, col(Subscription.successor_id).is_(None)
    )
    if since is not None:
        query = query.where(col(Subscription.ended_at) >= since)
    return [Ended(id, reason, at) for id, reason, at in session.exec(query) if at is not None]


def going_on(session: Session, subscription_id: UUID) -> UUID | None:
    """Return the subscription that goes on in the place of one, the last in a row of moves; None for an unknown one."""
    known = session.get(Subscription, subscription_id)
    while known is not None and known.successor_id is not None:
        known = session.get(Subscription, known.successor_id)
    return known.id if known else None


def must_end_ids(session: Session) -> list[UUID]:
    """Return the running subscriptions whose traders are gone."""
    query = select(Subscription.id).where(col(Subscription.must_end), col(Subscription.state).in_(LIVE))
    return list(session.exec(query))


def due_prices(session: Session) -> list[UUID]:
    """Return the subscriptions whose next renewal comes after the notice of its new price."""
    query = select(Subscription.id).where(
        col(Subscription.next_price).is_not(None),
        col(Subscription.entitled_until) >= col(Subscription.next_price_from),
        col(Subscription.state).in_(LIVE),
        col(Subscription.is_ending).is_(False),
    )
    return list(session.exec(query))


def subscribers_of_person(session: Session, *, trader_id: UUID, now: datetime) -> list[ActiveSubscription]:
    """Return the active subscribers of all profiles of a person, none of those on paper: contract 6."""
    leads = session.exec(select(Profile.lead_account_id).where(Profile.user_id == trader_id)).all()
    return [
        one
        for lead in leads
        for one in active_on_lead(session, lead_account_id=lead, now=now)
        if one.may_enter and not one.is_paper
    ]


def subscribers_of(session: Session, *, owner: UUID, profile_id: UUID, limit: int | None = None) -> list[SubscriberRow]:
    """Return the subscribers of a trader's own profile, the newest first, without what they hold."""
    rows = session.exec(
        select(Subscription)
        .join(Profile, col(Profile.id) == col(Subscription.profile_id))
        .where(
            Profile.id == profile_id,
            Profile.user_id == owner,
            col(Subscription.started_at).is_not(None),
            col(Subscription.is_paper).is_(False),
        )
        .order_by(col(Subscription.started_at).desc())
        .limit(limit)
    ).all()
    people = users.people(session, {row.subscriber_id for row in rows})
    return [
        SubscriberRow(row.id, people[row.subscriber_id].name, row.state, row.price, row.started_at, row.ended_at)
        for row in rows
    ]


def traders(session: Session) -> list[TraderRow]:
    """Return the traders with an active lead account: contract 5."""
    refs = accounts.active(session, role=Role.LEAD)
    owners = accounts.owners(session, [ref.id for ref in refs])
    profiles = {
        row.lead_account_id: row.id
        for row in session.exec(select(Profile).where(col(Profile.lead_account_id).in_(list(owners))))
    }
    return [TraderRow(owners[ref.id], profiles.get(ref.id), ref.id, ref.venue, ref.market) for ref in refs]
